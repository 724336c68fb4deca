import type { Connection } from '../connection/connection.ts';
import { OperationError } from '../connection/errors.ts';
import { openConnection } from '../connection/open.ts';
import { cancelOnAbort } from '../connection/session.ts';
import { count, formatDuration } from '../connection/units.ts';
import type { ProgressListener } from '../migrate/run/progress.ts';
import { requireFreshBackup } from '../ops/backup/fresh-backup.ts';
import { maintainTables } from '../ops/indexes/maintain.ts';
import type { RunLog } from '../ops/report/log.ts';
import {
  type AppliedMigration,
  type ApplyReport,
  applyMigrations,
  type Verification,
  verifyDatabase,
} from '../own/index.ts';
import { defineCommand, type InputOf, type Outcome } from './command.ts';
import { showEvents } from './events.ts';
import { confirmPlan, type Selection, showPlan } from './migrate-plan.ts';
import { flag, optionalArgument, value, valueWithDefault } from './parameters.ts';
import { age, text } from './parsers.ts';
import { readPlanFile } from './plan-file.ts';
import { noteServer, noteSizes, reportInput, withReport } from './reported.ts';
import { tradeInput, waitInput } from './shared-input.ts';

const recordInput = {
  maxBackupAgeMs: value(
    '--require-backup <age>',
    'refuse unless a sound backup is no older than this: 90m, 24h, 7d',
    age,
  ),
  snapshot: value(
    '--snapshot <id>',
    'the snapshot of your provider that was made before: it stands in the report',
    text,
  ),
  backupFolder: valueWithDefault('--backups <folder>', 'where to look for the backup', text, 'backups'),
};

export const migrate = defineCommand({
  name: 'migrate',
  summary: 'apply all pending migrations, or those up to the one that is named, while trading goes on',
  exitCodes: {
    0: 'all that was asked for is applied; with --dry-run, the plan is shown',
    1: 'applied, but the verification at the end has found a fault, or could not be made',
    4: 'refused for safety: another run, a transaction in the way, a contradiction in the history, a pooler, a plan that has drifted, another name typed',
    5: 'a statement failed, or the work was interrupted; run it again to go on',
  },
  input: {
    upTo: optionalArgument('[migration]', 'the last one to apply: 001, 1, 0001 or its full name', text),
    isDryRun: flag('--dry-run', 'show the plan on one screen: locks, time, disk, backup; change nothing'),
    withSql: flag('--sql', 'with --dry-run: add the exact SQL, and what each statement locks and does'),
    outFile: value('--out <file>', 'with --dry-run: write the plan down, for --plan', text),
    planFile: value(
      '--plan <file>',
      'run the plan that was written down, or what a run of it that was stopped has left to do; refuse where anything else has changed since, or it is a week old',
      text,
    ),
    isConfirmed: flag(
      '--yes',
      'do not ask for the name of the database; without a terminal nothing is asked',
    ),
    ...recordInput,
    ...reportInput,
    ...waitInput,
    ...tradeInput,
  },
  run: async (context, input) => {
    const { url, signal, progress, ask } = context;
    const { upTo, isDryRun, withSql, outFile, planFile, isConfirmed, ...rest } = input;
    const { reportFolder, notifyCommand, maxBackupAgeMs, backupFolder, snapshot, ...limits } = rest;
    refuseContradiction(input);
    const selection: Selection = {
      ...(upTo === undefined ? {} : { upTo }),
      ...(planFile === undefined ? {} : { plan: await readPlanFile(planFile) }),
    };
    if (isDryRun) {
      await using connection = await openConnection(url, { signal });
      cancelOnAbort(connection, { signal, onProgress: progress.line });
      return await showPlan(connection, selection, {
        withSql,
        outFile,
        planFile,
        backupFolder,
        signal,
      });
    }
    // A database that can't be reached is the end of the run, too: somebody may be told.
    return await withReport('migrate', context, { reportFolder, notifyCommand }, async (log) => {
      await using connection = await openConnection(url, { create: true, signal });
      if (ask !== undefined && !isConfirmed)
        await confirmPlan(connection, selection, { ask, signal, say: progress.line, backupFolder });
      await noteServer(log, connection, { begins: false });
      await noteBackup(log, connection, { maxBackupAgeMs, backupFolder, snapshot });
      const show = showEvents(progress);
      const onProgress: ProgressListener = (event) => {
        log.record(event);
        show(event);
      };
      const report = await applyMigrations(connection, { ...selection, ...limits, signal, onProgress });
      return await finish(connection, report, log, progress.line);
    });
  },
});

/** @throws OperationError `USAGE` where one option needs or excludes another */
function refuseContradiction({
  upTo,
  isDryRun,
  withSql,
  outFile,
  planFile,
}: {
  readonly upTo: string | undefined;
  readonly isDryRun: boolean;
  readonly withSql: boolean;
  readonly outFile: string | undefined;
  readonly planFile: string | undefined;
}): void {
  const refuse = (message: string): never => {
    throw new OperationError({
      code: 'USAGE',
      message,
      advice: '`multi-pair-db migrate --help` shows what is right.',
    });
  };
  if (!isDryRun && withSql) refuse('--sql goes with --dry-run');
  if (!isDryRun && outFile !== undefined) refuse('--out goes with --dry-run');
  if (upTo !== undefined && planFile !== undefined)
    refuse('a plan says itself which migration is the last: leave it out, or --plan');
}

/** @throws OperationError `REFUSED` where a fresh backup is demanded and there is none */
async function noteBackup(
  log: RunLog,
  connection: Connection,
  { maxBackupAgeMs, backupFolder, snapshot }: InputOf<typeof recordInput>,
): Promise<void> {
  if (snapshot !== undefined) log.note({ snapshot });
  if (maxBackupAgeMs === undefined) return;
  const { path, record } = await requireFreshBackup(connection, {
    maxAgeMs: maxBackupAgeMs,
    folder: backupFolder,
  });
  log.note({ backup: { path, sha256: record.sha256, startedAtMs: record.startedAtMs } });
}

/** Ends in a verification, also where nothing was pending: what is recorded as applied may have been damaged since. */
async function finish(
  connection: Connection,
  report: ApplyReport,
  log: RunLog,
  say: (text: string) => void,
): Promise<Outcome> {
  const isChanged = report.applied.length + report.repaired.length > 0;
  // New columns and expressions have no statistics yet, and the planner guesses until they have.
  const analyzed = isChanged ? (await maintainTables(connection, 'analyze')).steps : [];
  const state = [...report.alreadyApplied, ...report.applied.map(({ tag }) => tag)];
  const verification = await verifyDatabase(connection, { state }).catch((error: unknown) => {
    // The migrations are applied, whatever this says. The operator hears it, and `verify` can prove it later.
    if (!(error instanceof OperationError)) throw error;
    say(`not verified: ${error.message}`);
    return undefined;
  });
  log.note({ analyzed, ...(verification && { verification }) });
  await noteSizes(log, connection, say);
  return {
    exitCode: verification?.verified === true ? 0 : 1,
    result: { ...report, analyzed, verification },
    text: [
      ...formatReport(report),
      ...(isChanged ? [`  analyzed ${analyzed.map(({ name }) => name).join(', ')}`] : []),
      ...formatVerification(verification),
      verification?.verified === true
        ? 'next: multi-pair-db verify --explain --smoke'
        : 'next: multi-pair-db verify',
    ].join('\n'),
  };
}

function formatVerification(verification: Verification | undefined): string[] {
  if (verification === undefined) return ['  not verified: run `multi-pair-db verify`'];
  if (verification.verified) return ['  verified: the database is what this release says'];
  const faults = verification.findings.filter(({ level }) => level === 'fault');
  return [
    `  not verified: ${count(faults.length, 'fault', 'faults')}`,
    ...faults.map(
      ({ object, expected, found, repair }) =>
        `    ${object}: expected ${expected}, found ${found}. ${repair}`,
    ),
  ];
}

function formatReport({ target, repaired, applied }: ApplyReport): string[] {
  const describe = (verb: string, { tag, durationMs, waitedMs }: AppliedMigration): string =>
    `  ${verb} ${tag} in ${formatDuration(durationMs)}${waitedMs === 0 ? '' : `, ${formatDuration(waitedMs)} of it waiting`}`;
  const done = [
    ...(repaired.length === 0 ? [] : [`${repaired.length} repaired`]),
    ...(applied.length === 0 ? [] : [`${applied.length} applied`]),
  ];
  return [
    `${target}: ${done.join(', ') || 'nothing to do: it is applied already'}`,
    ...repaired.map((migration) => describe('repaired', migration)),
    ...applied.map((migration) => describe('applied', migration)),
  ];
}
