import type { Connection } from '../../connection/connection.ts';
import { type CheckOptions, inCheckTransaction } from '../../connection/read-only.ts';
import { readCatalog, scopeOf } from '../catalog/catalog.ts';
import { readCatalogFile } from '../catalog/catalog-file.ts';
import { compareCatalogs, type Finding, keyOf } from '../catalog/compare.ts';
import { migrateCommand } from '../catalog/repair.ts';
import { readMigrationFiles } from '../history/folder.ts';
import { compareHistory, type History } from '../history/history.ts';
import { defaultJournal, listJournalRows } from '../history/journal.ts';
import type { Project, RowRule } from '../project.ts';
import { checkRows } from './check-rows.ts';
import { checkPlans, type PlanProbe, type PlanReport } from './plan-probes.ts';

/** How to verify. */
export interface VerifyOptions extends CheckOptions {
  /** Whose folder holds the files and their `catalog.json`. */
  readonly project: Project;
  /** What the rows must keep (default: the project's rules). */
  readonly rules?: readonly RowRule[];
  /**
   * Tags of the migrations that are to be applied: the state of an older backup (default: all of them). What a later
   * migration makes is then neither wanted nor looked at, but for its row in the journal.
   */
  readonly state?: readonly string[];
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

/** Compares a database with what a project says: catalog, journal, rows, plans. Read-only. */
export async function verifyDatabase(connection: Connection, options: VerifyOptions): Promise<Verification> {
  const { project, rules = project.rowRules ?? [], explain = [], state } = options;
  const journal = project.journal ?? defaultJournal;
  const all = await readCatalogFile(project.folder);
  const files = await readMigrationFiles(project.folder);
  const isWanted = (tag: string | undefined): boolean => tag === undefined || (state?.includes(tag) ?? true);
  const expected = all.filter(({ migration }) => isWanted(migration));
  const later = new Set(all.filter(({ migration }) => !isWanted(migration)).map(keyOf));
  return inCheckTransaction(connection, options, async (scope) => {
    const history = compareHistory(files, await listJournalRows(connection, journal, files), journal);
    const applied = history.applied.map(({ tag }) => tag);
    const migrations = { folder: project.folder, applied: new Set(applied) };
    const live = (await readCatalog(connection, scopeOf(all))).filter((object) => !later.has(keyOf(object)));
    const wantedRules = rules.filter(({ migration }) => isWanted(migration));
    const rowCheck = await checkRows(scope, wantedRules, live, migrations);
    const { plans, findings: planFindings } = await checkPlans(
      scope,
      explain,
      live.map(({ name }) => name),
    );
    const findings = [
      ...describeHistory(history, isWanted),
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

function describeHistory(
  { applied, pending, unnamed, faults }: History,
  isWanted: (tag: string) => boolean,
): Finding[] {
  const wanted = pending.filter(({ tag }) => isWanted(tag));
  const surplus = applied.filter(({ tag }) => !isWanted(tag));
  return [
    ...surplus.map(
      ({ tag }): Finding => ({
        level: 'fault',
        object: `journal row of ${tag}`,
        expected: 'not recorded in this state',
        found: 'recorded as applied',
        repair: `multi-pair-db rollback ${tag} --dry-run, then without it`,
      }),
    ),
    ...wanted.map(
      ({ tag }): Finding => ({
        level: 'fault',
        object: `journal row of ${tag}`,
        expected: 'recorded as applied',
        found: 'not recorded',
        repair: migrateCommand(tag),
      }),
    ),
    ...unnamed.map(
      ({ tag }): Finding => ({
        level: 'fault',
        object: `journal row of ${tag}`,
        expected: 'named as drizzle-kit 1.0 names it',
        found: 'no name: drizzle-kit 1.0 would run the file again',
        repair: 'multi-pair-db migrate',
      }),
    ),
    ...faults.map(
      ({ message, advice }): Finding => ({
        level: 'fault',
        object: 'journal',
        expected: 'one row for each file, written from that file',
        found: message,
        repair: advice,
      }),
    ),
  ];
}
