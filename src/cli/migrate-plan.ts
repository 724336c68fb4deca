import path from 'node:path';
import type { Connection } from '../connection/connection.ts';
import { OperationError } from '../connection/errors.ts';
import { listRecordedBackups } from '../ops/backup/fresh-backup.ts';
import {
  checkPlan,
  type DescribedPlan,
  planMigrations,
  type SavedPlan,
  summarizePlan,
} from '../own/index.ts';
import type { Ask, Outcome } from './command.ts';
import { writePlanFile } from './plan-file.ts';
import { formatPlanScreen } from './plan-screen.ts';
import { formatPlanSql } from './plan-sql.ts';

/** What is to be migrated: up to a file, or as a plan says that was written down. */
export interface Selection {
  readonly upTo?: string;
  readonly plan?: SavedPlan;
}

/** @throws OperationError `REFUSED` where the plan that was written down does not hold any more */
const planSelection = (
  connection: Connection,
  { upTo, plan: saved }: Selection,
  signal: AbortSignal,
): Promise<DescribedPlan> =>
  saved === undefined
    ? planMigrations(connection, upTo === undefined ? {} : { upTo })
    : checkPlan(connection, saved, { signal });

/** `--dry-run`: the plan on one screen, and what else was asked for. Writes nothing to the database. */
export async function showPlan(
  connection: Connection,
  selection: Selection,
  {
    withSql,
    outFile,
    planFile,
    backupFolder,
    signal,
  }: {
    readonly withSql: boolean;
    readonly outFile: string | undefined;
    /** Where the plan of the selection was read from. */
    readonly planFile: string | undefined;
    readonly backupFolder: string;
    readonly signal: AbortSignal;
  },
): Promise<Outcome> {
  const plan = await planSelection(connection, selection, signal);
  const rehearsal = selection.plan?.rehearsal;
  const summary = summarizePlan(plan, rehearsal);
  const [backup] = await listRecordedBackups(connection, backupFolder);
  if (outFile !== undefined) await writePlanFile(outFile, plan, rehearsal);
  const screen = formatPlanScreen(plan, summary, { backup, folder: backupFolder, rehearsal });
  const file = outFile ?? planFile;
  const next = file === undefined ? 'multi-pair-db migrate' : `multi-pair-db migrate --plan ${file}`;
  const isPending = summary.files.length > 0;
  const text = `${screen}\n\nNothing was changed.\nnext: ${isPending ? next : 'multi-pair-db verify'}`;
  return {
    exitCode: 0,
    result: { ...plan, summary, backup: backup?.path, planFile: outFile },
    // Psql can run what is shown with --sql: all else stands in comments.
    text: withSql ? `${text.replace(/^/gm, '-- ').replace(/ +$/gm, '')}\n${formatPlanSql(plan)}` : text,
  };
}

/**
 * Shows the plan to who sits at the terminal, and has the name of the database typed, so that nobody migrates another
 * one than he thinks. Asks nothing where there is nothing to do.
 *
 * @throws OperationError `REFUSED` where another name is typed, or none
 */
export async function confirmPlan(
  connection: Connection,
  selection: Selection,
  {
    ask,
    signal,
    say,
    backupFolder,
  }: {
    readonly ask: Ask;
    readonly signal: AbortSignal;
    readonly say: (text: string) => void;
    readonly backupFolder: string;
  },
): Promise<void> {
  const plan = await planSelection(connection, selection, signal);
  const rehearsal = selection.plan?.rehearsal;
  const summary = summarizePlan(plan, rehearsal);
  if (summary.files.length === 0) return;
  const [backup] = await listRecordedBackups(connection, backupFolder);
  say(`${formatPlanScreen(plan, summary, { backup, folder: backupFolder, rehearsal })}\n`);
  const name = connection.kind === 'server' ? plan.database.name : path.basename(connection.target);
  const answer = await ask(`To migrate it, type the name of the database, ${name}: `);
  if (signal.aborted)
    throw new OperationError({
      code: 'INTERRUPTED',
      message: 'stopped before anything was begun; nothing was changed',
      advice: '',
    });
  if (answer === name) {
    say('');
    return;
  }
  throw new OperationError({
    code: 'REFUSED',
    message: `${answer === '' ? 'no name was typed' : 'another name was typed'}; nothing was changed`,
    advice: `The database is ${name}. Run it again, or with --yes, which asks nothing.`,
  });
}
