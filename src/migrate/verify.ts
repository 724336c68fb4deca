import { readCatalog } from './catalog.ts';
import { readCatalogFile } from './catalog-file.ts';
import { checkRows } from './check-rows.ts';
import { compareCatalogs, type Finding } from './compare.ts';
import type { Connection } from './connection.ts';
import { readMigrationFiles } from './folder.ts';
import { compareHistory, type History } from './history.ts';
import { listJournalRows } from './journal.ts';
import { migrateCommand } from './mend.ts';
import { checkPlans, type PlanProbe, type PlanReport } from './plans.ts';
import { ownProject, type Project } from './project.ts';
import { type CheckOptions, inCheckTransaction } from './read-only.ts';
import { type RowRule, rowRules } from './row-rules.ts';

/** How to verify. */
export interface VerifyOptions extends CheckOptions {
  /** Whose folder holds the files and their `catalog.json` (default: the package's own). */
  readonly project?: Project;
  /** What the rows must keep (default: the rules of this schema). */
  readonly rules?: readonly RowRule[];
  /** Queries whose plans are to be shown (default: none). */
  readonly explain?: readonly PlanProbe[];
}

/** What a verification has found. */
export interface Verification {
  /** Host, port and database. */
  readonly target: string;
  /** `server_version_num` */
  readonly versionNumber: number;
  /** True if there is no fault: the database is what the package says. */
  readonly verified: boolean;
  /** Tags of the migrations that are recorded as applied. */
  readonly applied: readonly string[];
  /** How many objects of the catalog were compared. */
  readonly comparedObjects: number;
  /** How many rows were read to check the rules of rows; undefined where they could not be checked. */
  readonly checkedRows: number | undefined;
  /** Faults first. */
  readonly findings: readonly Finding[];
  readonly plans: readonly PlanReport[];
}

/**
 * Proves that the database is what the package says, or says where it is not: the live catalog against the one that
 * the migrations produce, the journal against the files, every row of `sessions` against the rules of its pairs, and
 * the plans of the queries in `explain`. Works on a database at any stage; what is not there yet is a fault.
 *
 * Reads only, in a read-only transaction, and holds up no reader or writer: it reads `sessions` once from end to end,
 * about 1 s a million rows. (As any reader does, it holds up an ALTER TABLE or an index build for that long.)
 *
 * @throws OperationError `FILE_INVALID` where the folder has no `catalog.json`; `PRIVILEGE_MISSING` where the journal
 *   can't be read; `LOCKED` where a table stays locked against readers for a second; and where the connection fails
 * @example
 * await using connection = await openConnection('postgres://localhost/trading');
 * const { verified, findings } = await verifyDatabase(connection);
 * if (!verified) for (const { object, found, mend } of findings) console.error(object, found, mend);
 */
export async function verifyDatabase(
  connection: Connection,
  options: VerifyOptions = {},
): Promise<Verification> {
  const { project = ownProject, rules = rowRules, explain = [] } = options;
  const expected = await readCatalogFile(project.folder);
  const files = await readMigrationFiles(project.folder);
  return inCheckTransaction(connection, options, async (scope) => {
    const history = compareHistory(files, await listJournalRows(connection));
    const applied = history.applied.map(({ tag }) => tag);
    const migrations = { folder: project.folder, applied: new Set(applied) };
    const live = await readCatalog(connection, [...new Set(expected.map(({ table }) => table))]);
    const columns = new Set(
      live.filter(({ kind }) => kind === 'column').map(({ table, name }) => `${table}.${name}`),
    );
    const rowCheck = await checkRows(scope, rules, columns, migrations);
    const { plans, findings: planFindings } = await checkPlans(
      scope,
      explain,
      live.map(({ name }) => name),
    );
    const findings = [
      ...describeHistory(history),
      ...compareCatalogs(expected, live, migrations),
      ...rowCheck.findings,
      ...planFindings,
    ].sort((a, b) => Number(a.level === 'note') - Number(b.level === 'note'));
    return {
      target: connection.target,
      versionNumber: connection.versionNumber,
      verified: findings.every(({ level }) => level === 'note'),
      applied,
      comparedObjects: expected.length,
      checkedRows: rowCheck.checkedRows,
      findings,
      plans,
    };
  });
}

function describeHistory({ pending, faults }: History): Finding[] {
  return [
    ...pending.map(
      ({ tag }): Finding => ({
        level: 'fault',
        object: `journal row of ${tag}`,
        expected: 'recorded as applied',
        found: 'not recorded',
        mend: migrateCommand(tag),
      }),
    ),
    ...faults.map(
      ({ message, advice }): Finding => ({
        level: 'fault',
        object: 'journal',
        expected: 'one row for each file, written from that file',
        found: message,
        mend: advice,
      }),
    ),
  ];
}
