import type { Connection } from '../../connection/connection.ts';
import { majorOf } from '../../connection/units.ts';
import { createRedactor } from '../../connection/url.ts';
import type { BackupRecord } from './backup-record.ts';
import { quoteConninfo, toConninfo, toLibpqEnvironment } from './libpq.ts';
import { type ClientPrograms, findClientPrograms } from './programs.ts';
import type { PsqlOptions } from './psql.ts';
import { nothing, planReplacement, type Replacement } from './replacement.ts';
import { refuseUnconfirmed } from './restore-checks.ts';
import { type RestoreList, readRestoreList } from './restore-list.ts';
import type { RestoreOptions } from './restore-report.ts';
import { type ProgramRun, runProgram } from './run-program.ts';

/** All that is known when a restore into a server begins. */
export interface RestoreJob {
  readonly file: string;
  readonly record: BackupRecord;
  readonly into: string;
  readonly options: RestoreOptions;
  readonly connection: Connection;
  readonly programs: ClientPrograms;
  readonly running: Omit<ProgramRun, 'program' | 'args'>;
  readonly list: RestoreList;
  /** There is nothing to replace, and nobody to disturb. */
  readonly isEmpty: boolean;
  readonly replaced: Replacement;
}

/**
 * Looks at the backup, the programs and the database. Changes nothing.
 *
 * @throws OperationError `PROGRAM_MISSING`; `REFUSED` not confirmed, or not to be replaced by this backup
 */
export async function prepareRestore(
  given: Pick<RestoreJob, 'file' | 'record' | 'into' | 'options' | 'connection'>,
): Promise<RestoreJob> {
  const { file, record, into, options, connection } = given;
  // An archive is read by the pg_restore of the pg_dump that made it, or a later one.
  const programs = await findClientPrograms(Number(/\s(\d+)/.exec(record.program)?.[1] ?? 0));
  const isEmpty = await refuseUnconfirmed(connection, options.confirm);
  // Better to miss the other program now than when the services are gone.
  if (!isEmpty && options.safetyBackup !== false) {
    await findClientPrograms(majorOf(connection.versionNumber));
  }
  const running = {
    environment: toLibpqEnvironment(into, connection.endpoint),
    signal: options.signal,
    redact: createRedactor(into),
  };
  const text = await runProgram({ ...running, program: programs.pgRestore, args: ['--list', file] });
  return {
    ...given,
    programs,
    running,
    list: readRestoreList(text),
    isEmpty,
    replaced: isEmpty ? nothing : await planReplacement(connection, record, Date.now()),
  };
}

/** Where psql is to connect to, as whom, and what its session is called there. */
export async function toPsqlOptions(
  { connection, into, programs, running }: RestoreJob,
  application: string,
): Promise<PsqlOptions> {
  const [row] = await connection.query<{ name: string }>('select current_database() as name');
  return {
    ...running,
    environment: { ...running.environment, PGAPPNAME: application },
    program: programs.psql,
    dbname: `dbname=${quoteConninfo(row?.name ?? '')} ${toConninfo(into, connection.endpoint)}`.trim(),
  };
}
