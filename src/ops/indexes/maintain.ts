import { describeSessions } from '../../connection/activity.ts';
import type { Connection } from '../../connection/connection.ts';
import { OperationError } from '../../connection/errors.ts';
import { quoteIdentifier as quote } from '../../connection/identifiers.ts';
import { cancelOnAbort, liftTimeLimits, throwIfAborted, type WorkOptions } from '../../connection/session.ts';
import { type Sight, watchWork } from '../../connection/watch.ts';
import { releaseLock, takeLock } from '../../migrate/run/lock.ts';
import { readOwnTables } from '../../own/tables.ts';
import { listIndexFacts } from './index-catalog.ts';

/** What to do. */
export type MaintenanceAction = 'analyze' | 'vacuum' | 'reindex';

export interface MaintainOptions extends WorkOptions {
  /** One table (`analyze`, `vacuum`) or one index (`reindex`); default: all of the three tables, one after the other. */
  readonly name?: string | undefined;
  /** Wait so long for a migration of this database to end (default 60 000). Only `reindex` needs to. */
  readonly lockWaitMs?: number;
}

/** What was done, to one table or index. */
export interface MaintenanceStep {
  readonly name: string;
  readonly durationMs: number;
  /** Size of the index, or of the table with its indexes and its TOAST table. */
  readonly bytesBefore: number;
  readonly bytesAfter: number;
}

export interface MaintenanceReport {
  readonly action: MaintenanceAction;
  readonly steps: readonly MaintenanceStep[];
  /** Indexes that failed builds had left behind, and that are dropped now. */
  readonly droppedLeftovers: readonly string[];
}

/**
 * Analyzes, vacuums or reindexes the three tables, one table or index at a time. Reads and writes go on: all of it
 * takes SHARE UPDATE EXCLUSIVE, and indexes are rebuilt CONCURRENTLY. What a failed rebuild leaves behind is dropped,
 * by this run or by the next.
 *
 * @throws OperationError `USAGE` no such table or index of the three tables · `LOCKED` a migration is running, or the
 *   index is being built by another session · `DUPLICATES` a unique index can't be built · `PRIVILEGE_MISSING` ·
 *   `INTERRUPTED`
 * @example
 * await using connection = await openConnection('postgres://localhost/trading');
 * await maintainTables(connection, 'reindex', { name: 'idx_fills_timestamp', onProgress: console.error });
 */
export async function maintainTables(
  connection: Connection,
  action: MaintenanceAction,
  options: MaintainOptions = {},
): Promise<MaintenanceReport> {
  await using _limits = await liftTimeLimits(connection);
  if (action === 'reindex') return await reindex(connection, options);
  const steps: MaintenanceStep[] = [];
  for (const table of await selectTables(connection, options.name)) {
    steps.push(await runStep(connection, `${action} ${table}`, table, options));
  }
  return { action, steps, droppedLeftovers: [] };
}

async function selectTables(connection: Connection, name: string | undefined): Promise<string[]> {
  const own = await readOwnTables();
  const present = (
    await connection.query<{ name: string }>(
      'select name from unnest($1::text[]) with ordinality as t (name, place) where to_regclass(name) is not null order by place',
      [own],
    )
  ).map((row) => row.name);
  if (name === undefined && present.length > 0) return present;
  if (name !== undefined && present.includes(name)) return [name];
  throw new OperationError({
    code: 'USAGE',
    message:
      name === undefined
        ? `none of the tables ${own.join(', ')} is here`
        : `there is no table ${name} to maintain`,
    advice: `Name one of ${own.join(', ')}, or none for all that are here: ${present.join(', ') || 'none'}.`,
  });
}

/** The migrations' lock: a rebuild and a migration would wait for one another's snapshots, and drop one another's indexes. */
async function reindex(connection: Connection, options: MaintainOptions): Promise<MaintenanceReport> {
  await takeLock(connection, {
    lockWaitMs: options.lockWaitMs ?? 60_000,
    signal: options.signal,
    onWait: (holders) => options.onProgress?.(`waiting for the migration of ${describeSessions(holders)}`),
  });
  try {
    const names = await selectIndexes(connection, options.name);
    const droppedLeftovers = await dropLeftovers(connection, options);
    const steps: MaintenanceStep[] = [];
    for (const name of names.filter((index) => !droppedLeftovers.includes(index))) {
      steps.push(await rebuild(connection, name, options));
    }
    return { action: 'reindex', steps, droppedLeftovers };
  } finally {
    // On a lost connection the lock is gone already; the first error is the one to read.
    await releaseLock(connection).catch(() => {});
  }
}

async function rebuild(
  connection: Connection,
  name: string,
  options: MaintainOptions,
): Promise<MaintenanceStep> {
  try {
    const step = await runStep(connection, `reindex index concurrently ${quote(name)}`, name, options);
    const found = (await listIndexFacts(connection)).find(({ index }) => index === name);
    if (found?.valid !== true) throw notValid(name);
    return step;
  } catch (error) {
    // Nothing else can be meant by what is INVALID and bears these names now; but the first error is the one to read.
    await dropLeftovers(connection, {}).catch(() => {});
    throw error;
  }
}

async function selectIndexes(connection: Connection, name: string | undefined): Promise<string[]> {
  const all = await listIndexFacts(connection);
  if (name === undefined) {
    return all
      .filter(({ index, building }) => !building && !leftoverName.test(index))
      .map(({ index }) => index);
  }
  const found = all.find(({ index }) => index === name);
  if (found === undefined) {
    throw new OperationError({
      code: 'USAGE',
      message: `there is no index ${name} on ${(await readOwnTables()).join(', ')}`,
      advice: 'Name one that `multi-pair-db indexes` lists, or none for all of them.',
    });
  }
  if (!found.building) return [name];
  throw new OperationError({
    code: 'LOCKED',
    message: `${name} is being built by another session right now`,
    advice: 'Wait until it has ended, then run the same command again.',
  });
}

/** What REINDEX CONCURRENTLY calls its copies: the new one while it is built, the old one until it is dropped. */
const leftoverName = /_cc(new|old)\d*$/;

/** Drops what failed rebuilds have left: INVALID, of such a name, and built by nobody now. */
async function dropLeftovers(connection: Connection, { onProgress }: WorkOptions): Promise<string[]> {
  const leftovers = (await listIndexFacts(connection)).filter(
    ({ index, valid, building }) => !valid && !building && leftoverName.test(index),
  );
  for (const { index } of leftovers) {
    onProgress?.(`dropping ${index}, which a failed build has left behind`);
    await connection.execute(`drop index concurrently if exists ${quote(index)}`);
  }
  return leftovers.map(({ index }) => index);
}

/** Runs one statement, watched through a second session. */
async function runStep(
  connection: Connection,
  statement: string,
  name: string,
  { signal, onProgress }: WorkOptions,
): Promise<MaintenanceStep> {
  throwIfAborted(signal, `${statement} was not begun`);
  onProgress?.(statement);
  const bytesBefore = await readSize(connection, name);
  const startedAt = Date.now();
  using _cancel = cancelOnAbort(connection, { signal, onProgress });
  const work = connection.execute(statement);
  await (onProgress === undefined ? work : watch(connection, work, statement, onProgress));
  const durationMs = Date.now() - startedAt;
  return { name, durationMs, bytesBefore, bytesAfter: await readSize(connection, name) };
}

async function readSize(connection: Connection, name: string): Promise<number> {
  const [row] = await connection.query<{ bytes: number }>(
    'select coalesce(pg_total_relation_size(to_regclass($1)), 0) as bytes',
    [quote(name)],
  );
  return row?.bytes ?? 0;
}

/** Awaits the work, and says meanwhile what the backend does, or whom it waits for. */
async function watch(
  connection: Connection,
  work: Promise<void>,
  statement: string,
  onProgress: (text: string) => void,
): Promise<void> {
  const onBlind = (error: unknown): void => {
    onProgress(
      `${statement}: its progress can’t be seen (${error instanceof Error ? error.message : String(error)})`,
    );
  };
  // Whatever becomes of the second session, the work goes on and is awaited; it may fail before that session is open.
  work.catch(() => {});
  await using second = await connection.openSecond().catch((error: unknown) => {
    onBlind(error);
    return undefined;
  });
  if (second === undefined) return await work;
  const onLook = (sight: Sight): void => onProgress(`${statement}: ${describe(sight)}`);
  await watchWork(work, second, { pid: connection.pid }, { onLook, onBlind });
}

function describe({ progress, waitingFor }: Sight): string {
  const share = progress?.share === undefined ? '' : ` ${Math.floor(100 * progress.share)} %`;
  const wait = waitingFor.length === 0 ? '' : `, waiting for ${describeSessions(waitingFor)}`;
  return `${progress?.phase ?? 'at work'}${share}${wait}`;
}

function notValid(name: string): OperationError {
  return new OperationError({
    code: 'STATEMENT_FAILED',
    message: `${name} is not valid after its rebuild`,
    advice: 'Run the same command again; `multi-pair-db indexes` shows what is there.',
  });
}
