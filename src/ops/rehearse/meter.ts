import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from '../../connection/connection.ts';
import { openConnection } from '../../connection/open.ts';
import type { RehearsalStep } from './rehearsal-report.ts';

/** Between two looks at the size: an index that is built and replaced stands longer than that. */
const lookEveryMs = 500;

/**
 * Measures the steps of a rehearsal. Two sessions: one in the rehearsal database, which is asked between the steps alone
 * and keeps everybody else from dropping it; and one beside it, because in it an index build would wait for each look.
 */
export interface Meter extends AsyncDisposable {
  readonly steps: readonly RehearsalStep[];
  measure<Result>(name: string, work: () => Promise<Result>): Promise<Result>;
}

interface MeterOptions {
  /** URL of another database of the server. */
  readonly on: string;
  readonly url: string;
  readonly name: string;
  readonly signal: AbortSignal | undefined;
  /** Called once where the size can't be watched any more. */
  readonly onFault: (text: string) => void;
}

export async function openMeter({ on, url, name, signal, onFault }: MeterOptions): Promise<Meter> {
  const inside = await openConnection(url, { signal });
  try {
    // Between two steps may lie hours.
    await inside.execute('set idle_session_timeout = 0');
    const beside = await openConnection(on, { signal });
    const steps: RehearsalStep[] = [];
    const stopped = new AbortController();
    let peakBytes = 0;
    const watching = (async () => {
      while (!stopped.signal.aborted) {
        const [row] = await beside.query<{ sizeBytes: number }>(
          'select pg_database_size($1::name)::float8 as "sizeBytes"',
          [name],
        );
        peakBytes = Math.max(peakBytes, row?.sizeBytes ?? 0);
        await sleep(lookEveryMs, undefined, { signal: stopped.signal }).catch(() => {});
      }
    })().catch((error: unknown) => {
      onFault(`the size is not watched any more: ${error instanceof Error ? error.message : String(error)}`);
    });
    return {
      steps,
      measure: async (step, work) => {
        const before = await readMeter(inside, '0/0');
        const startedAtMs = Date.now();
        peakBytes = before.sizeBytes;
        const result = await work();
        const durationMs = Date.now() - startedAtMs;
        const { walBytes, sizeBytes } = await readMeter(inside, before.lsn);
        const peak = Math.max(peakBytes, sizeBytes);
        steps.push({ name: step, startedAtMs, durationMs, walBytes, sizeBytes, peakBytes: peak });
        return result;
      },
      [Symbol.asyncDispose]: async () => {
        stopped.abort();
        await watching;
        await beside.close();
        await inside.close();
      },
    };
  } catch (error) {
    await inside.close();
    throw error;
  }
}

interface Reading {
  readonly lsn: string;
  readonly walBytes: number;
  readonly sizeBytes: number;
}

async function readMeter(connection: Connection, since: string): Promise<Reading> {
  const [row] = await connection.query<Reading>(
    `select lsn::text as lsn, pg_wal_lsn_diff(lsn, $1::pg_lsn)::float8 as "walBytes",
            pg_database_size(current_database())::float8 as "sizeBytes"
     from pg_current_wal_lsn() as lsn`,
    [since],
  );
  if (row === undefined) throw new Error('a function has one row');
  return row;
}
