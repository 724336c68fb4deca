import type { Connection } from '../../connection/connection.ts';
import { OperationError } from '../../connection/errors.ts';
import { type DatabaseIdentity, readIdentity } from '../../connection/identity.ts';
import { openConnection } from '../../connection/open.ts';
import { throwIfAborted } from '../../connection/session.ts';
import { formatBytes, formatVersion, majorOf } from '../../connection/units.ts';
import { createRedactor, parseTarget } from '../../connection/url.ts';
import { type DescribedPlan, planMigrations } from '../../own/index.ts';
import { backupDatabase } from '../backup/backup.ts';
import type { Backup } from '../backup/backup-file.ts';
import { readBackup } from '../backup/backup-record.ts';
import { withDatabase } from '../backup/libpq.ts';
import { openMeter } from './meter.ts';
import { createRehearsalDatabase, dropRehearsalDatabase, nameRehearsal } from './rehearsal-database.ts';
import type { RehearsalReport, RehearseOptions } from './rehearsal-report.ts';
import { runThrough } from './run-through.ts';

/**
 * Rehearses the migrations on a copy: restores a backup into `DATABASE_rehearsal`, migrates, verifies, rolls back what it
 * has migrated, migrates again, verifies again, and measures each step. The database of `url` is read, and never written
 * to. The copy is dropped at the end, also after a fault, unless it is to be kept.
 *
 * @throws OperationError `USAGE` an embedded database · `REFUSED` a database of that name is not ours · `LOCKED` another
 *   rehearsal is going on · whatever backup, restore, migrate and rollback meet, with the step named
 * @example
 * const { passed, steps } = await rehearse('postgres://localhost/trading', { on: 'postgres://standby/postgres' });
 */
export async function rehearse(url: string, options: RehearseOptions = {}): Promise<RehearsalReport> {
  const on = options.on ?? url;
  refuseEmbedded(url, '--url');
  refuseEmbedded(on, '--on');
  // An hour of backup would be too late to hear that the file is none.
  const given = options.backup === undefined ? undefined : await readGiven(options.backup);
  const live = await lookAtLive(url, options);
  const name = nameRehearsal(live.plan.database.name);
  const redact = createRedactor(on);
  const notes = [
    // Those of --url are told where it is read.
    ...(options.on === undefined ? [] : parseTarget(on).notes.map((note) => redact(note))),
    ...(await compareServers(on, live, options.signal)),
    ...noteOrigin(given, live.plan.database),
  ];
  await createRehearsalDatabase(on, name, { signal: options.signal, onProgress: options.onPhase });
  for (const note of notes) options.onPhase?.(`note: ${note}`);
  const copy = { on, name, url: withDatabase(on, name) };
  try {
    const backup = given ?? (await backUp(url, options));
    throwIfAborted(options.signal, 'nothing was rehearsed');
    const report = await rehearseOn(copy, backup, live.plan, notes, options);
    if (options.keep === true) return { ...report, isKept: true };
    options.onStep?.('drop');
    const dropFault = await drop(on, name);
    return { ...report, isKept: dropFault !== undefined, ...(dropFault && { dropFault }) };
  } catch (error) {
    const dropFault = options.keep === true ? undefined : await drop(on, name);
    throw explain(error, { name, target: live.plan.target, isKept: options.keep === true, dropFault });
  }
}

function backUp(url: string, { folder, signal, onProgress, onStep }: RehearseOptions): Promise<Backup> {
  onStep?.('backup');
  return backupDatabase(url, { ...(folder === undefined ? {} : { folder }), signal, onProgress });
}

interface Copy {
  readonly on: string;
  readonly name: string;
  readonly url: string;
}

async function rehearseOn(
  { on, name, url }: Copy,
  backup: Backup,
  plan: DescribedPlan,
  notes: readonly string[],
  options: RehearseOptions,
): Promise<Omit<RehearsalReport, 'isKept'>> {
  await using meter = await openMeter({
    on,
    url,
    name,
    signal: options.signal,
    onFault: (text) => options.onPhase?.(text),
  });
  const { path, record } = backup;
  const found = await runThrough({ url, name, file: path, meter, options });
  return {
    ...found,
    target: plan.target,
    notes,
    backup: { path, sha256: record.sha256, startedAtMs: record.startedAtMs },
    steps: meter.steps,
    plan,
  };
}

/** What went wrong when it was dropped; undefined: it is gone. */
const drop = (on: string, name: string): Promise<string | undefined> =>
  dropRehearsalDatabase(on, name).then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );

interface Live {
  readonly plan: DescribedPlan;
  readonly sizeBytes: number;
}

async function lookAtLive(url: string, { signal }: RehearseOptions): Promise<Live> {
  await using connection = await openConnection(url, { signal });
  const plan = await planMigrations(connection);
  const [row] = await connection.query<{ sizeBytes: number }>(
    'select pg_database_size(current_database())::float8 as "sizeBytes"',
  );
  return { plan, sizeBytes: row?.sizeBytes ?? 0 };
}

/** In what the server of the rehearsal is not as the live one, or is the very same. */
async function compareServers(
  on: string,
  { plan, sizeBytes }: Live,
  signal: AbortSignal | undefined,
): Promise<string[]> {
  await using connection: Connection = await openConnection(on, { signal });
  const { systemIdentifier } = await readIdentity(connection);
  const { database, versionNumber } = plan;
  const isKnown = systemIdentifier !== null && database.systemIdentifier !== null;
  const isSame = isKnown
    ? systemIdentifier === database.systemIdentifier
    : parseTarget(on).name === plan.target;
  const [here, there] = [majorOf(connection.versionNumber), majorOf(versionNumber)];
  return [
    ...(isSame
      ? [
          `it is on the server of the live database, and shares its disk (${formatBytes(sizeBytes)} and more), its WAL and its memory; --on URL rehearses on another one`,
        ]
      : []),
    ...(here === there
      ? []
      : [
          `it is on PostgreSQL ${formatVersion(connection.versionNumber)}, and the live database on ${formatVersion(versionNumber)}`,
        ]),
  ];
}

const readGiven = async (path: string): Promise<Backup> => ({ path, record: await readBackup(path) });

function noteOrigin(given: Backup | undefined, database: DatabaseIdentity): string[] {
  if (given === undefined) return [];
  const { record } = given;
  const isOther =
    record.database !== database.name ||
    (record.systemIdentifier !== null &&
      database.systemIdentifier !== null &&
      record.systemIdentifier !== database.systemIdentifier);
  return isOther ? [`the backup is of ${record.target}, which is another database than that of --url`] : [];
}

function refuseEmbedded(url: string, option: string): void {
  if (parseTarget(url).kind === 'server') return;
  throw new OperationError({
    code: 'USAGE',
    message: `${option} is an embedded database, and a rehearsal is on a server`,
    advice: 'An embedded database is a folder: copy it while nobody works in it, and migrate the copy.',
  });
}

function explain(
  error: unknown,
  {
    name,
    target,
    isKept,
    dropFault,
  }: {
    readonly name: string;
    readonly target: string;
    readonly isKept: boolean;
    readonly dropFault: string | undefined;
  },
): unknown {
  if (!(error instanceof OperationError)) return error;
  const left =
    dropFault !== undefined
      ? `${name} could not be dropped (${dropFault}): the next rehearsal drops it.`
      : `${name} is ${isKept ? 'kept' : 'dropped'}.`;
  // What a run says of going on is true of the live database, and not of a copy that begins anew.
  const advice = error.code === 'INTERRUPTED' ? 'Run the same command again.' : error.advice;
  return new OperationError({
    ...error.toJSON(),
    message: `in the rehearsal: ${error.message}`,
    advice: `${advice} ${left} ${target} itself was not changed.`.trim(),
  });
}
