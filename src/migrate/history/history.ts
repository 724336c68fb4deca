import { OperationError } from '../../connection/errors.ts';
import type { MigrationFile } from './folder.ts';
import { fileOf, insertSql, type JournalRow, type JournalTable } from './journal.ts';

/** A way in which the journal of the database and the files of the folder contradict each other. */
export interface HistoryFault {
  readonly kind: 'out of order' | 'duplicate' | 'unknown' | 'edited' | 'gap' | 'older';
  /** What is wrong, in one sentence. */
  readonly message: string;
  readonly advice: string;
}

/** What of a folder a database has. */
export interface History {
  readonly applied: readonly MigrationFile[];
  readonly pending: readonly MigrationFile[];
  /** Applied, but their rows have no name where others have: drizzle-kit 1.0 would run them again. `migrate` names them. */
  readonly unnamed: readonly MigrationFile[];
  readonly faults: readonly HistoryFault[];
}

/** Compares the files of a folder with the rows of a journal. */
export function compareHistory(
  files: readonly MigrationFile[],
  rows: readonly JournalRow[],
  journal: JournalTable,
): History {
  const recorded = new Set(rows.map((row) => fileOf(row, files)));
  const unnamed = new Set(rows.filter(({ name }) => name === null).map((row) => fileOf(row, files)));
  const isNamed = rows.some(({ name }) => name !== undefined);
  return {
    applied: files.filter((file) => recorded.has(file)),
    pending: files.filter((file) => !recorded.has(file)),
    unnamed: files.filter((file) => unnamed.has(file)),
    faults: [
      ...listDisorder(files, recorded),
      ...listDuplicates(files, rows),
      ...listStrangers(files, rows),
      ...listGaps(files, recorded, (file) => insertSql(file, journal, isNamed)),
    ],
  };
}

/** The files that have a row; undefined stands for rows that are of no file. */
type Recorded = ReadonlySet<MigrationFile | undefined>;

/** @throws OperationError `HISTORY` that names every fault. */
export function refuseFaults({ faults }: History): void {
  if (faults.length === 0) return;
  throw new OperationError({
    code: 'HISTORY',
    message: `the history of this database and the migration files contradict each other; nothing was changed: ${faults.map((fault) => fault.message).join('; ')}`,
    advice: [...new Set(faults.map((fault) => fault.advice))].join(' '),
  });
}

/** Drizzle applies only what is stamped later than the last row: such a file would never run, and nobody would know. */
function listDisorder(files: readonly MigrationFile[], recorded: Recorded): HistoryFault[] {
  return files.flatMap((file, index) => {
    const newest = files
      .slice(0, index)
      .reduce((latest, earlier) => Math.max(latest, earlier.createdAtMs), 0);
    if (file.createdAtMs > newest) return [];
    const before = files.find((earlier) => earlier.createdAtMs === newest);
    const applied = before !== undefined && recorded.has(before);
    return [
      {
        kind: applied ? 'older' : 'out of order',
        message: `${file.tag} is stamped older than ${before?.tag}, which stands before it${applied ? ' and is applied' : ''}`,
        advice:
          'Generate the file again (drizzle-kit drop, then drizzle-kit generate), so that its stamp in meta/_journal.json is the latest.',
      },
    ];
  });
}

function listDuplicates(files: readonly MigrationFile[], rows: readonly JournalRow[]): HistoryFault[] {
  const groups = new Map<string, JournalRow[]>();
  for (const row of rows) {
    const key = fileOf(row, files)?.tag ?? `${row.createdAtMs}`;
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  return [...groups.values()].flatMap((group) => {
    const ids = group.map((row) => row.id);
    if (ids.length < 2) return [];
    return [
      {
        kind: 'duplicate',
        message: `${group[0]?.journal} records the same migration more than once (ids ${ids.join(', ')})`,
        advice: `A runner without a lock has run it twice. Run verify, then keep one row: delete from ${group[0]?.journal} where id in (${ids.slice(1).join(', ')});`,
      },
    ];
  });
}

function listStrangers(files: readonly MigrationFile[], rows: readonly JournalRow[]): HistoryFault[] {
  return rows.flatMap((row): HistoryFault[] => {
    const file = fileOf(row, files);
    if (file === undefined) {
      return [
        {
          kind: 'unknown',
          message: `${row.journal} has a row (id ${row.id}, created_at ${row.createdAtMs}) that belongs to no file of this folder`,
          advice:
            'Check that this is the right database, and use the version of the migrations that it was last migrated with, or a later one.',
        },
      ];
    }
    if (file.hash === row.hash) return [];
    return [
      {
        kind: 'edited',
        message: `${file.file} is not what was applied: its sha256 is ${file.hash.slice(0, 12)}…, recorded is ${row.hash.slice(0, 12)}…`,
        advice:
          'Restore the file as it was applied (from version control), and put the change into a new migration.',
      },
    ];
  });
}

function listGaps(
  files: readonly MigrationFile[],
  recorded: Recorded,
  restore: (file: MigrationFile) => string,
): HistoryFault[] {
  const last = files.findLastIndex((file) => recorded.has(file));
  return files.slice(0, Math.max(0, last)).flatMap((file) => {
    if (recorded.has(file)) return [];
    return [
      {
        kind: 'gap',
        message: `${file.tag} is not recorded as applied, but ${files[last]?.tag} after it is`,
        advice: `If it came late, generate it again, so that its stamp is the latest. If it was applied and its row is lost, run verify, then put the row back: ${restore(file)};`,
      },
    ];
  });
}

/**
 * The file that an operator means by `001`, `1`, `0001` or the full name.
 *
 * @throws OperationError `USAGE` where it is none, or more than one.
 */
export function resolveMigration(files: readonly MigrationFile[], name: string): MigrationFile {
  const matches = files.filter(
    (file) =>
      file.tag === name ||
      (/^\d{1,9}$/.test(name) && Number(name) === Number(/^\d+/.exec(file.tag)?.[0] ?? Number.NaN)),
  );
  const [match] = matches;
  if (match !== undefined && matches.length === 1) return match;
  throw new OperationError({
    code: 'USAGE',
    message: `${JSON.stringify(name)} names ${match === undefined ? 'no migration' : 'more than one migration'}`,
    advice: `The migrations are: ${files.map((file) => file.tag).join(', ')}.`,
  });
}
