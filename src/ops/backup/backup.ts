import type { Connection } from '../../connection/connection.ts';
import { OperationError } from '../../connection/errors.ts';
import { findSystemIdentifier } from '../../connection/identity.ts';
import { openConnection } from '../../connection/open.ts';
import { inTransaction, liftTimeLimits } from '../../connection/session.ts';
import { majorOf } from '../../connection/units.ts';
import { createRedactor, parseTarget } from '../../connection/url.ts';
import { pauseTable } from '../../migrate/pause.ts';
import { frameSchema } from '../../migrate/plan/frame.ts';
import { readOwnTables } from '../../own/tables.ts';
import { backupEmbedded } from './backup-embedded.ts';
import { type Backup, type BackupFacts, nameBackup, storeBackup } from './backup-file.ts';
import type { BackupOptions } from './backup-options.ts';
import { readState } from './backup-state.ts';
import { toConninfo, toLibpqEnvironment } from './libpq.ts';
import { listOwnership, listPrerequisites } from './prerequisites.ts';
import { type ClientPrograms, findClientPrograms } from './programs.ts';
import { countRows, listTables, type TableName } from './row-counts.ts';
import { runProgram } from './run-program.ts';

/** A table that somebody alters can't be dumped; better to say so than to queue behind it in silence. */
const lockWait = '60s';

/**
 * Backs a database up: with pg_dump in its custom format, or with PGlite's own dump of an embedded one. Beside the
 * file stands a JSON with the size, the sha256, and the rows of every table in the very snapshot that was dumped. The
 * file gets its name when it is whole and pg_restore (or PGlite) can read it.
 *
 * Reads all tables while services go on; it holds up DROP, ALTER and the vacuuming of old row versions for as long as
 * it runs. Roles and tablespaces of the server are not in it.
 *
 * @throws OperationError `PROGRAM_MISSING` no pg_dump of the server's version or later · `OUT_OF_SPACE` ·
 *   `FILE_INVALID` the folder can't be written to · `PRIVILEGE_MISSING` · `LOCKED` · `INTERRUPTED` · `UNREACHABLE`
 * @example
 * const { path, record } = await backupDatabase('postgres://localhost/trading', { folder: '/srv/backups' });
 * console.log(path, record.sha256, record.rows['public.fills']);
 */
export async function backupDatabase(url: string, options: BackupOptions = {}): Promise<Backup> {
  const target = parseTarget(url);
  if (target.kind === 'embedded') return backupEmbedded(target.directory, options);
  // What the programs can't be told is refused before anything is done.
  toLibpqEnvironment(url);
  await using connection = await openConnection(url, { signal: options.signal });
  await using _limits = await liftTimeLimits(connection);
  const programs = await findClientPrograms(majorOf(connection.versionNumber));
  // What pg_dump sees and what is counted is one snapshot: it lives as long as this transaction.
  return await inTransaction(connection, 'isolation level repeatable read read only', () =>
    dump(connection, { url, programs }, options),
  );
}

interface DumpTools {
  readonly url: string;
  readonly programs: ClientPrograms;
}

async function dump(
  connection: Connection,
  { url, programs }: DumpTools,
  { folder = 'backups', scope = 'database', label, signal, onProgress }: BackupOptions,
): Promise<Backup> {
  const startedAtMs = Date.now();
  const [origin] = await connection.query<{ snapshot: string; database: string }>(
    'select pg_export_snapshot() as snapshot, current_database() as database',
  );
  if (origin === undefined) throw new Error('a select without from has one row');
  const tables = scope === 'database' ? await listTables(connection) : await listOwnTables(connection);
  const ending = `${scope === 'database' ? '' : '-tables'}${label === undefined ? '' : `-${label}`}.dump`;
  return storeBackup(folder, nameBackup(origin.database, startedAtMs, ending), async (partial) => {
    onProgress?.(`pg_dump of ${connection.target} …`);
    const selection = scope === 'database' ? [] : tables.map((table) => `--table=${toPattern(table)}`);
    const environment = toLibpqEnvironment(url, connection.endpoint);
    const running = { environment, signal, redact: createRedactor(url), writesTo: partial };
    await runProgram({
      ...running,
      program: programs.pgDump,
      args: [
        '--format=custom',
        '--no-password',
        `--lock-wait-timeout=${lockWait}`,
        `--snapshot=${origin.snapshot}`,
        `--file=${partial}`,
        // A pause is of this moment, and no part of what is restored: its table is backed up, and the row is not.
        `--exclude-table-data=${pauseTable}`,
        ...toDbname(toConninfo(url, connection.endpoint)),
        ...selection,
      ],
    });
    onProgress?.('counting rows …');
    const kept = tables.filter(({ qualified }) => qualified !== pauseTable);
    const rows = {
      ...(await countRows(connection, kept)),
      ...(kept.length < tables.length ? { [pauseTable]: 0 } : {}),
    };
    const list = await runProgram({ ...running, program: programs.pgRestore, args: ['--list', partial] });
    refuseIncomplete(list, kept);
    return {
      kind: 'server',
      scope,
      target: connection.target,
      database: origin.database,
      systemIdentifier: await findSystemIdentifier(connection),
      versionNumber: connection.versionNumber,
      program: programs.version,
      startedAtMs,
      rows,
      state: await readState(connection),
      ...(scope === 'database'
        ? { prerequisites: [] }
        : {
            prerequisites: await listPrerequisites(connection, tables),
            ownership: await listOwnership(connection, tables),
          }),
    } satisfies BackupFacts;
  });
}

/** The database itself is in the environment. */
const toDbname = (conninfo: string): string[] => (conninfo === '' ? [] : [`--dbname=${conninfo}`]);

/** The tables of the schema that are there, and all that the package keeps beside them. */
async function listOwnTables(connection: Connection): Promise<TableName[]> {
  const own = await readOwnTables();
  const tables = await connection.query<TableName>(
    `select n.nspname as schema, c.relname as name, format('%I.%I', n.nspname, c.relname) as qualified
     from pg_class as c
     join pg_namespace as n on n.oid = c.relnamespace
     where c.oid in (select to_regclass(quote_ident(name)) from unnest($1::text[]) as wanted (name))
       or (n.nspname = $2 and c.relkind = 'r')
     order by 1, 2`,
    [own, frameSchema],
  );
  if (tables.some(({ name, schema }) => own.includes(name) && schema !== frameSchema)) return tables;
  throw new OperationError({
    code: 'REFUSED',
    message: `none of the tables ${own.join(', ')} is here`,
    advice: 'Check that this is the right database, or back all of it up (without --tables).',
  });
}

/** pg_dump reads a pattern; in quotes it is a name. */
const toPattern = ({ schema, name }: TableName): string =>
  [schema, name].map((part) => `"${part.replaceAll('"', '""')}"`).join('.');

/** `pg_restore --list` names the data of each table in a line: `3450; 0 16390 TABLE DATA public fills postgres`. */
function refuseIncomplete(list: string, tables: readonly TableName[]): void {
  const missing = tables.filter(({ schema, name }) => !list.includes(` TABLE DATA ${schema} ${name} `));
  if (missing.length === 0) return;
  throw new OperationError({
    code: 'STATEMENT_FAILED',
    message: `the dump lacks the rows of ${missing.map(({ qualified }) => qualified).join(', ')}`,
    advice: 'Check that pg_dump and pg_restore are of one version and in order, then back up again.',
  });
}
