import { createDatabase } from '../../connection/create-database.ts';
import { OperationError } from '../../connection/errors.ts';
import { quoteIdentifier } from '../../connection/identifiers.ts';
import { openConnection } from '../../connection/open.ts';
import { parseTarget } from '../../connection/url.ts';
import { type BackupRecord, readBackup } from './backup-record.ts';
import { withDatabase } from './libpq.ts';
import { restoreEmbedded } from './restore-embedded.ts';
import type { RestoreOptions, RestoreReport } from './restore-report.ts';
import { restoreServer } from './restore-server.ts';

/**
 * Makes a database what a backup says, that `backupDatabase` has made and whose record agrees: one that is empty, or that
 * is confirmed by name. All or nothing: it is one transaction, in which the rows of every table are counted as well.
 *
 * In a database that is confirmed, what the backup holds is replaced, and what is of this package and not in the backup
 * goes: columns, triggers, the schema of the frame with its journal. Archives of `dedupe` are put aside. What others have
 * stays. It refuses while anybody is connected, unless it may end them (`disconnect`), and where something of others
 * depends on what is replaced. Before, all of it is backed up (`safetyBackup`). New sessions are kept out until it has
 * ended, as far as the role may do that. A database that is not there yet is created where `into` is a name.
 *
 * The restored database is held against the state that the backup is of, which may be older than this release.
 *
 * @throws OperationError `FILE_INVALID`, `REFUSED` the file was altered, the database is not empty, or others depend on
 *   it · `LOCKED` who is connected · `PROGRAM_MISSING` · `PRIVILEGE_MISSING` · `STATEMENT_FAILED` with what psql or
 *   pg_restore said · `INTERRUPTED`
 * @example
 * const report = await restoreBackup('backups/trading-20240809T010203Z.dump', 'postgres://localhost/trading', {
 *   into: 'trading_copy',
 * });
 * if (!report.complete) console.error(report.differences);
 */
export async function restoreBackup(
  file: string,
  url: string,
  options: RestoreOptions = {},
): Promise<RestoreReport> {
  const record = await readBackup(file);
  const into = toUrl(url, options.into);
  const target = parseTarget(into);
  if (target.kind !== record.kind) throw wrongKind(record);
  if (target.kind === 'embedded') return restoreEmbedded(file, record, target.directory, options);
  const name = options.into;
  for (const note of into === url ? [] : target.notes) options.onPhase?.(note);
  const isMade = name !== undefined && !isUrl(name) && (await createMissing(url, into, name, options.signal));
  try {
    return await restoreServer(file, record, into, options);
  } catch (cause) {
    // What was made for it goes with it, unless somebody is in it already. The failure of the restore is the one to report.
    if (isMade)
      await dropMade(url, name).catch((fault: unknown) =>
        options.onPhase?.(
          `the database ${name}, which was made for it, stays: ${fault instanceof Error ? fault.message : String(fault)}`,
        ),
      );
    throw cause;
  }
}

const isUrl = (text: string): boolean => /^(pglite:|\w+:\/\/)/.test(text);

/** A name is a database on the same server. */
function toUrl(url: string, into: string | undefined): string {
  if (into === undefined) return url;
  return isUrl(into) || url.startsWith('pglite:') ? into : withDatabase(url, into);
}

/** Makes a database that is not there yet; true if it did. */
async function createMissing(
  url: string,
  into: string,
  name: string,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  try {
    await (await openConnection(into, { signal })).close();
    return false;
  } catch (error) {
    if (!(error instanceof OperationError) || error.code !== 'DATABASE_MISSING') throw error;
    await using connection = await openConnection(url);
    await createDatabase(connection, name);
    return true;
  }
}

async function dropMade(url: string, name: string): Promise<void> {
  await using connection = await openConnection(url);
  await connection.execute(`drop database ${quoteIdentifier(name)}`);
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
