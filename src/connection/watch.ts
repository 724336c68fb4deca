import { setTimeout as sleep } from 'node:timers/promises';
import { listSessions, listTableHolders, type SessionActivity } from './activity.ts';
import type { Connection } from './connection.ts';

/** What a running statement is seen to do. */
export interface Sight {
  /** Sessions that it waits for, the oldest transaction first. */
  readonly waitingFor: readonly SessionActivity[];
  /** How far it is, where PostgreSQL keeps count: index builds, vacuum, analyze. */
  readonly progress: WorkProgress | undefined;
  /** How long it has waited so far. */
  readonly waitedMs: number;
  /** How long it has been waiting without a break. */
  readonly waitingMs: number;
  /** Sessions that wait behind it, and how long the first of them has waited, ms. */
  readonly behind: readonly SessionActivity[];
  readonly behindMs: number;
}

export interface WorkProgress {
  /** The index that is built. */
  readonly index: string | undefined;
  /** As the progress view of PostgreSQL words it. */
  readonly phase: string;
  /** Of the phase, 0 to 1. */
  readonly share: number | undefined;
}

/** Who waits behind a statement is to be seen while little of the limit has passed; a look costs a row of each view. */
const lookEveryMs = 50;

/** The work that is looked at. */
export interface Watched {
  /** Its backend. */
  readonly pid: number;
  /** Tables that it locks against everybody, in short tries. */
  readonly exclusive?: readonly string[];
  /** Another session of the same run, if there is one: it is nobody that the work waits for. */
  readonly companionPid?: number | undefined;
}

/**
 * Awaits `work`, and looks at it through a second session meanwhile.
 * Returns how long it has waited for others. A look that fails ends the looking, not the work: `onBlind` says so.
 */
export async function watchWork(
  work: Promise<unknown>,
  second: Connection,
  watched: Watched,
  listener: {
    readonly onLook: (sight: Sight) => void;
    readonly onBlind: (error: unknown) => void;
    /** What else is to be looked at through the second session, after each look. */
    readonly alsoLook?: (second: Connection) => Promise<void>;
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
      const { waitingFor, progress, behind, behindMs } = await look(second, watched);
      const sinceMs = Date.now() - lookedAt;
      lookedAt = Date.now();
      waitedMs += waitingFor.length > 0 ? sinceMs : 0;
      waitingMs = waitingFor.length > 0 ? waitingMs + sinceMs : 0;
      listener.onLook({ waitingFor, progress, waitedMs, waitingMs, behind, behindMs });
      await listener.alsoLook?.(second);
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
  readonly behind: readonly number[];
  readonly behindMs: number;
}

const lookSql = `
select pg_blocking_pids(a.pid) as blockers, coalesce(a.wait_event = 'PgSleep', false) as resting,
       i.index_relid::regclass::text as index,
       coalesce(i.phase, v.phase, z.phase) as phase,
       case when i.phase like 'waiting%' then i.lockers_done
            when i.tuples_total > 0 and i.phase not like '%scanning%' then i.tuples_done
            else coalesce(i.blocks_done, v.heap_blks_scanned, z.sample_blks_scanned) end as done,
       case when i.phase like 'waiting%' then i.lockers_total
            when i.tuples_total > 0 and i.phase not like '%scanning%' then i.tuples_total
            else coalesce(i.blocks_total, v.heap_blks_total, z.sample_blks_total) end as total,
       behind.pids as behind, behind.ms as "behindMs"
from pg_stat_activity as a
left join pg_stat_progress_create_index as i using (pid)
left join pg_stat_progress_vacuum as v using (pid)
left join pg_stat_progress_analyze as z using (pid)
cross join (
  -- Nobody queues behind who waits for SHARE UPDATE EXCLUSIVE (a vacuum, another build): trading does not feel it.
  select coalesce(array_agg(distinct l.pid), '{}') as pids,
         coalesce(max(extract(epoch from clock_timestamp() - l.waitstart) * 1000), 0)::float8 as ms
  from pg_locks as l
  where not l.granted and l.mode <> 'ShareUpdateExclusiveLock' and $1 = any (pg_blocking_pids(l.pid))
) as behind
where a.pid = $1`;

async function look(
  second: Connection,
  { pid, exclusive = [], companionPid }: Watched,
): Promise<Omit<Sight, 'waitedMs' | 'waitingMs'>> {
  const [row] = await second.query<LookRow>(lookSql, [pid]);
  if (row === undefined) return { waitingFor: [], progress: undefined, behind: [], behindMs: 0 };
  const blockers = row.blockers.filter((blocker) => blocker !== companionPid);
  const own = [pid, second.pid, ...(companionPid === undefined ? [] : [companionPid])];
  // Work that tries for a lock again and again rests between the tries: whoever holds the table is who it waits for.
  const waitingFor =
    blockers.length === 0 && row.resting && exclusive.length > 0
      ? await listTableHolders(second, exclusive, own)
      : await listSessions(second, blockers);
  const behind = await listSessions(second, row.behind);
  return { waitingFor, progress: readProgress(row), behind, behindMs: row.behindMs };
}

function readProgress({ index, phase, done, total }: LookRow): WorkProgress | undefined {
  if (phase === null) return undefined;
  return {
    index: index ?? undefined,
    phase,
    share: done !== null && total !== null && total > 0 ? Math.min(1, done / total) : undefined,
  };
}
