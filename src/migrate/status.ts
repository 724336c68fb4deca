import type { SessionActivity } from '../connection/activity.ts';
import type { Connection } from '../connection/connection.ts';
import { inReadOnlyTransaction } from '../connection/read-only.ts';
import { isBeingBuilt } from './catalog/building.ts';
import { readCatalog, scopeOf } from './catalog/catalog.ts';
import { findCatalogFile } from './catalog/catalog-file.ts';
import { listContradicted } from './catalog/damage.ts';
import { isLeftByUndo } from './catalog/repair.ts';
import { type MigrationFile, readMigrationFiles } from './history/folder.ts';
import { compareHistory, type HistoryFault } from './history/history.ts';
import { defaultJournal, listJournalRows } from './history/journal.ts';
import { type Pause, readPause } from './pause.ts';
import { readConcurrentIndex } from './plan/head.ts';
import { countBacklog, countPutAside, isPresent, listCountable } from './presence.ts';
import type { Project, RowRule } from './project.ts';
import { listLockHolders } from './run/lock.ts';

/** Where a database stands. */
export interface Status {
  /** Host, port and database. */
  readonly target: string;
  /** `server_version_num`: 150018 is PostgreSQL 15.18. */
  readonly versionNumber: number;
  readonly migrations: readonly MigrationStatus[];
  /** What of the journal contradicts the files. `migrate` and `rollback` refuse while there is any. */
  readonly faults: readonly HistoryFault[];
  /** Sessions that hold the migrations' lock: a run is under way. */
  readonly running: readonly SessionActivity[];
  /** Who keeps runs from going on. */
  readonly pause: Pause | undefined;
  /** What a rollback has put aside and migrate will give back: rows by table. */
  readonly putAside: Readonly<Record<string, number>>;
  /** A rollback broke off: what it has left notes each write to sessions and orders, until it is run again, or migrate. */
  readonly isRollbackHalfDone: boolean;
  /** A table `migrations` of an older runner is there. It is not relied on: the files themselves prove what is there. */
  readonly hasOlderJournal: boolean;
}

/** A file, and where the database stands with it. */
export interface MigrationStatus {
  readonly tag: string;
  /**
   * `half-done`: not recorded, but something of it is there (a run that broke off, or an older attempt). `contradicted`:
   * recorded, but something of it is missing, INVALID, disabled or otherwise than it should be; `verify` says what.
   */
  readonly state: 'applied' | 'contradicted' | 'pending' | 'half-done';
  readonly indexes: readonly IndexStatus[];
  /** Rows still to fill; undefined where the file fills none, or nothing of it is there. */
  readonly backlog: number | undefined;
}

/** An index that the files of the project build, and how it is. */
export interface IndexStatus {
  readonly name: string;
  readonly state: 'valid' | 'INVALID' | 'being built' | 'missing';
}

/** Reads where a database stands, in one read-only transaction. */
export async function readStatus(
  connection: Connection,
  { project }: { readonly project: Project },
): Promise<Status> {
  const files = await readMigrationFiles(project.folder);
  const expected = await findCatalogFile(project.folder);
  const journal = project.journal ?? defaultJournal;
  return inReadOnlyTransaction(connection, async () => {
    const history = compareHistory(files, await listJournalRows(connection, journal, files), journal);
    const live = await readCatalog(connection, scopeOf(expected));
    const contradicted = listContradicted(expected, live);
    const rules = listCountable(project.rowRules ?? [], live);
    const migrations: MigrationStatus[] = [];
    for (const file of files) {
      const isApplied = history.applied.includes(file);
      const isContradicted = isApplied && contradicted.has(file.tag);
      const state = isContradicted ? 'contradicted' : isApplied ? 'applied' : undefined;
      migrations.push(
        await readMigrationStatus(connection, rules, isPresent(live, expected, file.tag), file, state),
      );
    }
    const [older] = await connection.query<{ present: boolean }>(
      "select to_regclass('migrations') is not null as present",
    );
    const running = await listLockHolders(connection);
    return {
      target: connection.target,
      versionNumber: connection.versionNumber,
      migrations,
      faults: history.faults,
      running,
      pause: await readPause(connection),
      putAside: await countPutAside(connection),
      isRollbackHalfDone: running.length === 0 && live.some(isLeftByUndo),
      hasOlderJournal: older?.present === true,
    };
  });
}

async function readMigrationStatus(
  connection: Connection,
  rules: readonly RowRule[],
  isThere: boolean,
  { tag, statements }: MigrationFile,
  recordedState: 'applied' | 'contradicted' | undefined,
): Promise<MigrationStatus> {
  return {
    tag,
    state: recordedState ?? (isThere ? 'half-done' : 'pending'),
    indexes: await listIndexStatus(
      connection,
      statements.flatMap(({ sql }) => readConcurrentIndex(sql) ?? []),
    ),
    backlog: isThere ? await countBacklog(connection, rules, tag) : undefined,
  };
}

async function listIndexStatus(connection: Connection, names: readonly string[]): Promise<IndexStatus[]> {
  if (names.length === 0) return [];
  return connection.query<IndexStatus>(
    `select wanted.name,
            case when i.indexrelid is null then 'missing'
                 when i.indisvalid and i.indisready and i.indislive then 'valid'
                 when ${isBeingBuilt('i.indexrelid')} then 'being built'
                 else 'INVALID' end as state
     from unnest($1::text[]) with ordinality as wanted (name, position)
     left join pg_index as i on i.indexrelid = to_regclass(wanted.name)
     order by wanted.position`,
    [[...names]],
  );
}
