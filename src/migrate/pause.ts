import type { Connection } from '../connection/connection.ts';
import { OperationError } from '../connection/errors.ts';
import { formatTime } from '../connection/units.ts';
import { frameSchema } from './plan/frame.ts';

/** Who keeps runs from going on. */
export interface Pause {
  /** User and host, and the role of the database. */
  readonly by: string;
  readonly sinceMs: number;
  readonly reason: string | undefined;
}

interface PauseRow {
  readonly by: string;
  readonly sinceMs: number;
  readonly reason: string | null;
}

/** Its row, if there is one, is the pause. */
export const pauseTable = `${frameSchema}.pause`;

const columns =
  'paused_by as by, (extract(epoch from paused_at) * 1000)::float8 as "sinceMs", reason as reason';

const toPause = ({ by, sinceMs, reason }: PauseRow): Pause => ({ by, sinceMs, reason: reason ?? undefined });

/** The pause of this database; undefined where there is none, and where this role may not know. */
export async function readPause(connection: Connection): Promise<Pause | undefined> {
  const [table] = await connection.query<{ readable: boolean }>(
    `select coalesce(bool_and(has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select')), false) as readable
     from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
     where n.nspname = $1 and c.relname = 'pause'`,
    [frameSchema],
  );
  if (table?.readable !== true) return undefined;
  const [row] = await connection.query<PauseRow>(`select ${columns} from ${pauseTable}`);
  return row === undefined ? undefined : toPause(row);
}

/**
 * Pauses every run on this database, of whatever runner, between two batches or builds, until `resumeRuns`. Where it is
 * paused already, that pause stays as it is, and comes back with `isNew: false`.
 *
 * @throws OperationError `REFUSED` where the first migration is not applied; `PRIVILEGE_MISSING`
 */
export async function pauseRuns(
  connection: Connection,
  { by, reason }: { readonly by: string; readonly reason?: string | undefined },
): Promise<Pause & { readonly isNew: boolean }> {
  await refuseWithoutTable(connection);
  const [made] = await connection.query<PauseRow>(
    `insert into ${pauseTable} (paused_by, reason) values ($1 || ' (role ' || session_user || ')', $2::text)
     on conflict do nothing returning ${columns}`,
    [by, reason ?? null],
  );
  if (made !== undefined) return { ...toPause(made), isNew: true };
  const found = await readPause(connection);
  // Another session has resumed in between: then it is paused anew.
  return found === undefined ? pauseRuns(connection, { by, reason }) : { ...found, isNew: false };
}

/**
 * Lets runs go on, within a quarter of a second. The pause that was ended; undefined where there was none.
 *
 * @throws OperationError `REFUSED` where the first migration is not applied; `PRIVILEGE_MISSING`
 */
export async function resumeRuns(connection: Connection): Promise<Pause | undefined> {
  await refuseWithoutTable(connection);
  const [ended] = await connection.query<PauseRow>(`delete from ${pauseTable} returning ${columns}`);
  return ended === undefined ? undefined : toPause(ended);
}

async function refuseWithoutTable(connection: Connection): Promise<void> {
  const [row] = await connection.query<{ isThere: boolean }>(
    `select exists (select from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
                    where n.nspname = $1 and c.relname = 'pause') as "isThere"`,
    [frameSchema],
  );
  if (row?.isThere === true) return;
  throw new OperationError({
    code: 'REFUSED',
    message: `there is no table ${pauseTable}: the first migration, which makes it, is not applied, and there is no run to pause`,
    advice: 'A run that has to end now ends with Ctrl-C; what it has done stays. See multi-pair-db status.',
  });
}

/**
 * `paused by alice@ops (role trader) since 2026-01-31 14:00:00 UTC: the market opens`
 *
 * @example
 * await using connection = await openConnection('postgres://localhost/trading');
 * const pause = await readPause(connection);
 * if (pause !== undefined) console.log(describePause(pause));
 */
export const describePause = ({ by, sinceMs, reason }: Pause): string =>
  `paused by ${by} since ${formatTime(sinceMs)}${reason === undefined ? '' : `: ${reason}`}`;
