import { setTimeout as sleep } from 'node:timers/promises';
import { listSessions, listTableHolders, type SessionActivity } from './activity.ts';
import type { Connection } from './open.ts';

/** What a running statement is seen to do. */
export interface Observation {
  /** Sessions that it waits for, the oldest transaction first. */
  readonly waitingFor: readonly SessionActivity[];
  readonly build: BuildProgress | undefined;
  /** How long it has waited so far. */
  readonly waitedMs: number;
  /** How long it has been waiting without a break. */
  readonly waitingMs: number;
}

export interface BuildProgress {
  readonly index: string;
  /** As `pg_stat_progress_create_index` words it. */
  readonly phase: string;
  /** Of the phase, 0 to 1. */
  readonly share: number | undefined;
}

/** Quick statements end before the first look; a wait of a second is seen. */
const lookEveryMs = 250;

/**
 * Awaits `work`, which runs on the backend `pid`, and looks at it through a second session meanwhile.
 * Returns how long it has waited for others. A look that fails ends the looking, not the work: `onBlind` says so.
 */
export async function watchWork(
  work: Promise<unknown>,
  second: Connection,
  pid: number,
  exclusive: readonly string[],
  listener: {
    readonly onLook: (observation: Observation) => void;
    readonly onBlind: (error: unknown) => void;
  },
): Promise<number> {
  const ended = work.then(
    () => true,
    () => true,
  );
  let waitedMs = 0;
  let waitingMs = 0;
  let lookedAt = Date.now();
  while (!(await Promise.race([ended, sleep(lookEveryMs, false, { ref: false })]))) {
    try {
      const { waitingFor, build } = await look(second, pid, exclusive);
      const sinceMs = Date.now() - lookedAt;
      lookedAt = Date.now();
      waitedMs += waitingFor.length > 0 ? sinceMs : 0;
      waitingMs = waitingFor.length > 0 ? waitingMs + sinceMs : 0;
      listener.onLook({ waitingFor, build, waitedMs, waitingMs });
    } catch (error) {
      listener.onBlind(error);
      break;
    }
  }
  await work;
  return waitedMs;
}

interface LookRow {
  readonly blockers: readonly number[];
  readonly resting: boolean;
  readonly index: string | null;
  readonly phase: string | null;
  readonly done: number | null;
  readonly total: number | null;
}

async function look(
  second: Connection,
  pid: number,
  exclusive: readonly string[],
): Promise<Pick<Observation, 'waitingFor' | 'build'>> {
  const [row] = await second.query<LookRow>(
    `select pg_blocking_pids(a.pid) as blockers, coalesce(a.wait_event = 'PgSleep', false) as resting,
            p.index_relid::regclass::text as index, p.phase,
            case when p.phase like 'waiting%' then p.lockers_done
                 when p.tuples_total > 0 and p.phase not like '%scanning%' then p.tuples_done
                 else p.blocks_done end as done,
            case when p.phase like 'waiting%' then p.lockers_total
                 when p.tuples_total > 0 and p.phase not like '%scanning%' then p.tuples_total
                 else p.blocks_total end as total
     from pg_stat_activity as a
     left join pg_stat_progress_create_index as p on p.pid = a.pid
     where a.pid = $1`,
    [pid],
  );
  if (row === undefined) return { waitingFor: [], build: undefined };
  // A file that tries for a lock again and again rests between the tries: whoever holds the table is who it waits for.
  const waitingFor =
    row.blockers.length === 0 && row.resting && exclusive.length > 0
      ? await listTableHolders(second, exclusive, [pid, second.pid])
      : await listSessions(second, row.blockers);
  return { waitingFor, build: readBuild(row) };
}

function readBuild({ index, phase, done, total }: LookRow): BuildProgress | undefined {
  if (index === null || phase === null) return undefined;
  return {
    index,
    phase,
    share: done !== null && total !== null && total > 0 ? Math.min(1, done / total) : undefined,
  };
}
