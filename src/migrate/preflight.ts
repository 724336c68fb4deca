import { readCatalog } from './catalog.ts';
import { readCatalogFile } from './catalog-file.ts';
import type { Connection } from './connection.ts';
import { type DescribedPlan, planMigrations } from './describe.ts';
import { OperationError } from './errors.ts';
import { type MigrationFile, readMigrationFiles } from './folder.ts';
import { compareHistory } from './history.ts';
import { listJournalRows } from './journal.ts';
import { dumps, longTransactions, preparedTransactions, runningMigration } from './preflight/activity.ts';
import { bystanders, rowSecurity } from './preflight/bystanders.ts';
import type { Check, CheckContext, CheckLevel, Observation } from './preflight/check.ts';
import { damagedIndexes, namesTaken, runningBuilds } from './preflight/indexes.ts';
import { lookForPooler, poolerWhy } from './preflight/pooler.ts';
import { privileges } from './preflight/privileges.ts';
import { replication } from './preflight/replication.ts';
import { backfill, duplicates } from './preflight/rows.ts';
import { firingTriggers, serverVersion, timeouts, writable } from './preflight/server.ts';
import { columnsOfOlderAttempt, shape } from './preflight/shape.ts';
import { diskSpace } from './preflight/space.ts';
import { selectStar } from './preflight/statements.ts';
import { ownProject, type Project } from './project.ts';
import { attempt, type CheckOptions, type CheckScope, inCheckTransaction } from './read-only.ts';

/** How to look. */
export interface PreflightOptions extends CheckOptions {
  /** Whose files (default: the package's own). */
  readonly project?: Project;
  /** From how long on an open transaction is a finding, ms (default 5 000): a build waits for shorter ones unnoticed. */
  readonly longTransactionMs?: number;
}

/** What one check says. */
export interface CheckReport extends Observation {
  /** Stable, for programs: `long-transactions`. */
  readonly id: string;
  /** Why it matters. */
  readonly why: string;
}

/** Whether the migrations may run now. */
export interface Preflight {
  /** Host, port and database. */
  readonly target: string;
  /** `server_version_num` */
  readonly versionNumber: number;
  /** Tags of what migrate would apply; none behind a pooler, where nothing is looked at. */
  readonly pending: readonly string[];
  /** True if nothing blocks. */
  readonly mayRun: boolean;
  /** How many checks ended at each level. */
  readonly counts: Readonly<Record<CheckLevel, number>>;
  /** Every check that was made or tried, in a fixed order. */
  readonly checks: readonly CheckReport[];
}

/** In the order in which an operator mends: the server, the role, the tables, then who is in the way right now. */
const checks: readonly Check[] = [
  serverVersion,
  writable,
  privileges,
  rowSecurity,
  firingTriggers,
  timeouts,
  shape,
  columnsOfOlderAttempt,
  namesTaken,
  damagedIndexes,
  duplicates,
  backfill,
  bystanders,
  diskSpace,
  replication,
  runningMigration,
  runningBuilds,
  longTransactions,
  dumps,
  preparedTransactions,
  selectStar,
];

/**
 * Looks at a live database and says whether the migrations may run now, and what to do first.
 *
 * Reads only, in a read-only transaction, and holds up no reader or writer: it reads `sessions` twice and, where the
 * unique index is not there yet, sorts or hashes `fills` once. (As any reader does, it holds up an ALTER TABLE or an
 * index build that is under way, until it ends.) Each statement has a limit; a check that was cut short or not allowed
 * is a warning that says so. What others are doing is true of one moment: run it right before `migrate`.
 *
 * @throws OperationError where the connection fails, the journal can't be read, or a table stays locked against readers
 * @example
 * await using connection = await openConnection('postgres://localhost/trading');
 * const { mayRun, checks } = await runPreflight(connection);
 * for (const { level, found } of checks) if (level !== 'ok') console.error(level, found);
 */
export async function runPreflight(
  connection: Connection,
  options: PreflightOptions = {},
): Promise<Preflight> {
  const { project = ownProject, longTransactionMs = 5_000 } = options;
  const expected = await readCatalogFile(project.folder);
  const files = await readMigrationFiles(project.folder);
  const tables = [...new Set(expected.map(({ table }) => table))];
  const pooler = { id: 'pooler', why: poolerWhy, ...(await lookForPooler(connection)) };
  // In statement mode a pooler ends whoever begins a transaction; in transaction mode the URL has to be changed, too.
  if (pooler.level === 'blocker') {
    const skipped = {
      level: 'skipped',
      found: 'not checked: this is for the URL of the server itself',
    } as const;
    const reports = [pooler, ...checks.map(({ id, why }) => ({ id, why, ...skipped }))];
    return summarize(connection, [], reports);
  }
  const plan = await planOrNone(connection, project);

  return inCheckTransaction(connection, options, async (scope) => {
    const history = compareHistory(files, await listJournalRows(connection));
    const context: CheckContext = {
      connection,
      project,
      tables,
      expected,
      live: await readCatalog(connection, tables),
      history,
      plan,
      longTransactionMs,
    };
    const reports: CheckReport[] = [pooler, describeHistory(context)];
    for (const check of checks) reports.push(await make(scope, check, context));
    return summarize(connection, history.pending, reports);
  });
}

function summarize(
  { target, versionNumber }: Connection,
  pending: readonly MigrationFile[],
  reports: readonly CheckReport[],
): Preflight {
  const number = (level: CheckLevel): number => reports.filter((report) => report.level === level).length;
  const counts = {
    ok: number('ok'),
    skipped: number('skipped'),
    warning: number('warning'),
    blocker: number('blocker'),
  };
  return {
    target,
    versionNumber,
    pending: pending.map(({ tag }) => tag),
    mayRun: counts.blocker === 0,
    counts,
    checks: reports,
  };
}

/** What contradicts itself can't be planned; the history says so by itself. */
async function planOrNone(connection: Connection, project: Project): Promise<DescribedPlan | undefined> {
  try {
    return await planMigrations(connection, { project });
  } catch (error) {
    if (error instanceof OperationError && error.code === 'HISTORY') return undefined;
    throw error;
  }
}

async function make(
  scope: CheckScope,
  { id, why, look }: Check,
  context: CheckContext,
): Promise<CheckReport> {
  const outcome = await attempt(scope, () => look(context));
  if ('result' in outcome) return { id, why, ...outcome.result };
  return {
    id,
    why,
    level: 'warning',
    found: `not checked: ${outcome.reason}`,
    advice: 'Run preflight again as the owner of the tables, or with a longer --time-limit.',
  };
}

function describeHistory({ history: { faults, pending } }: CheckContext): CheckReport {
  const about = { id: 'history', why: 'migrate refuses a journal that contradicts the files' };
  if (faults.length > 0) {
    return {
      ...about,
      level: 'blocker',
      found: 'the journal and the migration files contradict each other',
      details: faults.map(({ message }) => message),
      advice: [...new Set(faults.map(({ advice }) => advice))].join(' '),
    };
  }
  const found =
    pending.length === 0 ? 'nothing is pending' : `pending: ${pending.map(({ tag }) => tag).join(', ')}`;
  return { ...about, level: 'ok', found };
}
