import type { Connection } from '../../connection/connection.ts';
import { OperationError } from '../../connection/errors.ts';
import {
  attempt,
  type CheckOptions,
  type CheckScope,
  inCheckTransaction,
} from '../../connection/read-only.ts';
import { readCatalog, scopeOf } from '../catalog/catalog.ts';
import { readCatalogFile } from '../catalog/catalog-file.ts';
import { type MigrationFile, readMigrationFiles } from '../history/folder.ts';
import { compareHistory } from '../history/history.ts';
import { defaultJournal, listJournalRows } from '../history/journal.ts';
import { type DescribedPlan, planMigrations } from '../plan/describe.ts';
import type { Project } from '../project.ts';
import { dumps, longTransactions, preparedTransactions, runningMigration } from './activity.ts';
import { asRecorded, refusesRows, rowsAsRecorded } from './as-recorded.ts';
import type { Check, CheckContext, CheckLevel, Observation } from './check.ts';
import { childTables } from './child-tables.ts';
import { eventTriggers } from './event-triggers.ts';
import { damagedIndexes, namesTaken, runningBuilds } from './indexes.ts';
import { lookForPooler, poolerWhy } from './pooler.ts';
import { privileges } from './privileges.ts';
import { replication } from './replication.ts';
import { rowSecurity } from './row-security.ts';
import { firingTriggers, serverVersion, timeouts, writable } from './server.ts';
import { serviceDdl } from './service-ddl.ts';
import { shape } from './shape.ts';
import { diskSpace } from './space.ts';
import { standbys } from './standbys.ts';
import { selectStar } from './statements.ts';
import { subscriptions } from './subscriptions.ts';

/** How to look. */
export interface PreflightOptions extends CheckOptions {
  /** Whose files. */
  readonly project: Project;
  /** Checks of the project's own, made after those of the tables. */
  readonly checks?: readonly Check[];
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

/** In the order in which an operator repairs: the server, the role, the tables, then who is in the way right now. */
const tableChecks: readonly Check[] = [
  serverVersion,
  writable,
  privileges,
  rowSecurity,
  firingTriggers,
  eventTriggers,
  timeouts,
  shape,
  childTables,
  namesTaken,
  damagedIndexes,
  asRecorded,
  refusesRows,
  rowsAsRecorded,
];

const momentChecks: readonly Check[] = [
  diskSpace,
  replication,
  standbys,
  subscriptions,
  runningMigration,
  runningBuilds,
  longTransactions,
  dumps,
  preparedTransactions,
  selectStar,
  serviceDdl,
];

/** Looks whether the migrations of a project may run now. Read-only. */
export async function runPreflight(connection: Connection, options: PreflightOptions): Promise<Preflight> {
  const { project, checks: ownChecks = [], longTransactionMs = 5_000 } = options;
  const checks = [...tableChecks, ...ownChecks, ...momentChecks];
  const expected = await readCatalogFile(project.folder);
  const files = await readMigrationFiles(project.folder);
  const scope = scopeOf(expected);
  const journal = project.journal ?? defaultJournal;
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

  return inCheckTransaction(connection, options, async (check) => {
    const history = compareHistory(files, await listJournalRows(connection, journal, files), journal);
    const context: CheckContext = {
      connection,
      project,
      tables: scope.tables,
      expected,
      live: await readCatalog(connection, scope),
      history,
      migrations: { folder: project.folder, applied: new Set(history.applied.map(({ tag }) => tag)) },
      scope: check,
      plan,
      longTransactionMs,
    };
    const reports: CheckReport[] = [pooler, describeHistory(context)];
    for (const one of checks) reports.push(await make(check, one, context));
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
