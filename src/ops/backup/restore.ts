import { OperationError } from '../../connection/errors.ts';
import { quoteIdentifier } from '../../connection/identifiers.ts';
import { openConnection } from '../../connection/open.ts';
import { liftTimeLimits } from '../../connection/session.ts';
import { majorOf } from '../../connection/units.ts';
import { createRedactor, parseTarget } from '../../connection/url.ts';
import { type BackupRecord, readBackup } from './backup-record.ts';
import { quoteConninfo, toConninfo, toLibpqEnvironment, withDatabase } from './libpq.ts';
import { findClientPrograms } from './programs.ts';
import { refuseHeld, refuseUnconfirmed } from './restore-checks.ts';
import { restoreEmbedded } from './restore-embedded.ts';
import { compareRows, type RestoreOptions, type RestoreReport } from './restore-report.ts';
import { needsScript, restoreByScript } from './restore-script.ts';
import { runProgram } from './run-program.ts';

/**
 * Restores a backup that `backupDatabase` has made, after checking it against its record: into a database that is empty,
 * or that is confirmed by name. All or nothing: pg_restore works in one transaction. Then the rows of every table are
 * counted against the record, and the tables analyzed.
 *
 * In a database that is confirmed, the tables of the backup are dropped and made again (ACCESS EXCLUSIVE until it has
 * ended); what else is there stays. It does not begin while another transaction holds one of them for more than a
 * second. A database that is not there yet is created where `into` is a name.
 *
 * @throws OperationError `FILE_INVALID`, `REFUSED` the file was altered, or the database is not empty ·
 *   `LOCKED` its tables are in use ·
 *   `PROGRAM_MISSING` · `PRIVILEGE_MISSING` · `STATEMENT_FAILED` with what pg_restore said · `INTERRUPTED`
 * @example
 * const report = await restoreBackup('backups/trading-20240809T010203Z.dump', 'postgres://localhost/trading', {
 *   into: 'trading_copy',
 * });
 * if (!report.complete) console.error(report.differences);
 */
export async function restoreBackup(
  file: string,
  url: string,
  options: RestoreOptions,
): Promise<RestoreReport> {
  const record = await readBackup(file);
  const isUrl = /^(pglite:|\w+:\/\/)/.test(options.into);
  const into = isUrl || url.startsWith('pglite:') ? options.into : withDatabase(url, options.into);
  const target = parseTarget(into);
  if (target.kind !== record.kind) throw wrongKind(record);
  if (target.kind === 'embedded') return restoreEmbedded(file, record, target.directory, options);
  for (const note of isUrl ? target.notes : []) options.onProgress?.(note);
  if (!isUrl) await createMissing(url, into, options);
  return restoreServer(file, record, into, options);
}

async function restoreServer(
  file: string,
  record: BackupRecord,
  into: string,
  { confirm, withoutOwners = false, signal, onProgress, verify }: RestoreOptions,
): Promise<RestoreReport> {
  // What the programs can't be told is refused before anything is done.
  toLibpqEnvironment(into);
  await using connection = await openConnection(into, { signal });
  await using _limits = await liftTimeLimits(connection);
  // An archive is read by the pg_restore of the pg_dump that made it, or a later one.
  const programs = await findClientPrograms(Number(/\s(\d+)/.exec(record.program)?.[1] ?? 0));
  const isEmpty = await refuseUnconfirmed(connection, confirm);
  if (!isEmpty) await refuseHeld(connection, Object.keys(record.rows));
  for (const statement of record.prerequisites) await connection.execute(statement);
  onProgress?.(`pg_restore into ${connection.target} …`);
  const [current] = await connection.query<{ name: string }>('select current_database() as name');
  const args = [
    ...(isEmpty ? [] : ['--clean', '--if-exists']),
    ...(withoutOwners ? ['--no-owner', '--no-privileges'] : []),
    file,
  ];
  const dbname =
    `--dbname=dbname=${quoteConninfo(current?.name ?? '')} ${toConninfo(into, connection.endpoint)}`.trim();
  const environment = toLibpqEnvironment(into, connection.endpoint);
  const running = { environment, signal, redact: createRedactor(into) };
  if (needsScript(programs.major, majorOf(connection.versionNumber))) {
    await restoreByScript(programs, running, args, dbname);
  } else {
    await runProgram({
      ...running,
      program: programs.pgRestore,
      args: ['--single-transaction', '--exit-on-error', '--no-password', dbname, ...args],
    });
  }
  onProgress?.('counting rows …');
  const report = await compareRows(connection, record);
  // A restored table has no statistics; the planner would guess until autovacuum comes by.
  for (const { table } of report.restored) await connection.execute(`analyze ${table}`);
  const { complete, differences } = report;
  const verification = await verify?.(connection);
  return { target: connection.target, record, complete, differences, verification };
}

async function createMissing(
  url: string,
  into: string,
  { into: name, signal }: RestoreOptions,
): Promise<void> {
  try {
    await (await openConnection(into, { signal })).close();
  } catch (error) {
    if (!(error instanceof OperationError) || error.code !== 'DATABASE_MISSING') throw error;
    await using connection = await openConnection(url, { signal });
    await connection.execute(`create database ${quoteIdentifier(name)}`);
  }
}

function wrongKind({ kind }: BackupRecord): OperationError {
  return new OperationError({
    code: 'FILE_INVALID',
    message:
      kind === 'embedded'
        ? 'this is a backup of an embedded database; it can’t be restored on a server'
        : 'this is a backup of a server; it can’t be restored into an embedded database',
    advice:
      kind === 'embedded'
        ? 'Give --into pglite:DIRECTORY.'
        : 'Give --into a database of a server, or its URL.',
  });
}
