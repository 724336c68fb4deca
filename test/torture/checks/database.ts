import type { Sql } from 'postgres';
import { migrationFiles } from '../../support/facts.ts';
import { brokenPromises } from '../../support/oddities.ts';
import { checksumOfFirstRows } from '../ground/rows.ts';
import { type Level, levels, live, reaches } from '../work/levels.ts';
import { type Reference, readItems } from './reference.ts';

/** How many rows and their checksum: of the rows that were there before the first command. */
export type Checksum = string;

/**
 * What must hold of a database after whatever has happened to it: the rows of the first hour are what they were, and the
 * journal says nothing whose objects are not there, or whose rows are not filled.
 */
export async function checkDatabase(sql: Sql, reference: Reference, before: Checksum): Promise<string[]> {
  const recorded = await readRecorded(sql);
  return [
    ...((await readChecksum(sql)) === before ? [] : ['rows of the first hour are not what they were']),
    ...(await checkRecorded(sql, reference, recorded)),
  ];
}

/** What must hold besides when a command has ended well: the database is at a level, all of it and nothing else. */
export async function checkLevel(
  sql: Sql,
  reference: Reference,
  level: Level,
  isRecorded = true,
): Promise<string[]> {
  const items = await readItems(sql);
  const wanted = reference[level] ?? new Set();
  const recorded = await readRecorded(sql);
  const expected = migrationFiles.slice(0, levels.indexOf(level)).map(({ tag }) => tag);
  return [
    ...[...wanted].filter((item) => !items.has(item)).map((item) => `missing at ${level}: ${item}`),
    ...[...items].filter((item) => !wanted.has(item)).map((item) => `left over at ${level}: ${item}`),
    ...(isRecorded && recorded.join() !== expected.join()
      ? [`the journal has ${recorded.join(', ') || 'nothing'} at ${level}`]
      : []),
    ...(await listStrangers(sql, level)),
    ...(reaches(level, '001') ? await checkRows(sql) : []),
  ];
}

export async function readChecksum(sql: Sql): Promise<Checksum> {
  const [archive] = await sql`select to_regclass('multi_pair_db.archived_fills') is not null as present`;
  const [row] = await sql.unsafe(checksumOfFirstRows(archive?.['present'] === true));
  return `${row?.['row_count']} rows, ${row?.['checksum']}`;
}

/** Fills that are stored twice. */
export async function countDuplicates(sql: Sql): Promise<number> {
  const [row] = await sql`select count(*)::int as rows from fills where id like 'dup%'
    and exists (select from fills as f where f.id = 'g' || (substr(fills.id, 4)::int * 7))`;
  return Number(row?.['rows']);
}

/** Tags of the files that the journal has, in order; one that is there twice is named twice. */
async function readRecorded(sql: Sql): Promise<string[]> {
  const [journal] = await sql`select to_regclass('multi_pair_db.migrations') is not null as present`;
  if (journal?.['present'] !== true) return [];
  const rows =
    await sql`select created_at::text as stamp from multi_pair_db.migrations order by created_at, id`;
  return rows.map(({ stamp }) => {
    const second = Math.floor(Number(stamp) / 1_000);
    return (
      migrationFiles.find((file) => Math.floor(file.createdAtMs / 1_000) === second)?.tag ??
      `a stranger (${stamp})`
    );
  });
}

async function checkRecorded(sql: Sql, reference: Reference, recorded: readonly string[]): Promise<string[]> {
  const newest = recorded.at(-1);
  const level = levels[migrationFiles.findIndex(({ tag }) => tag === newest) + 1];
  if (newest === undefined || level === undefined) return [];
  const items = await readItems(sql);
  const missing = [...(reference[level] ?? [])].filter((item) => !items.has(item));
  return [
    ...missing.map((item) => `the journal has ${newest}, and this is not there: ${item}`),
    // Rows can't be asked for columns that are not there, and enough is said.
    ...(reaches(level, '001') && missing.length === 0 ? await checkRows(sql) : []),
  ];
}

async function checkRows(sql: Sql): Promise<string[]> {
  const [promises] = await sql.unsafe(brokenPromises);
  const [places] = await sql.unsafe(misplaced);
  return Object.entries({ ...promises, ...places }).flatMap(([what, rows]) =>
    Number(rows) === 0 ? [] : [`${rows} rows are ${what.replaceAll('_', ' ')}`],
  );
}

/** Orders of the new services, each of which stores one after the other: no order is inserted while its pairs change. */
const misplaced = `
  select count(*)::int as misplaced
  from orders as o
  join sessions as s on s.id = o.sessionid
  cross join lateral (
    select min(ordinality)::int - 1 as place
    from jsonb_array_elements_text(s.pairs) with ordinality as e (pair) where e.pair = o.symbol
  ) as e
  where o.id like 'o.new.%' and o.pair_index is distinct from e.place`;

/** Tables of ours that a level has; an archive may be there at any, and what is put aside until 001 gives it back. */
const ownTables = (level: Level): readonly string[] =>
  level === live
    ? []
    : ['migrations', 'pause', ...(reaches(level, '001') ? [] : ['undo_orders', 'undo_sessions'])];

async function listStrangers(sql: Sql, level: Level): Promise<string[]> {
  const rows = await sql`
    select relname::text as name from pg_class
    where relkind in ('r', 'p') and relnamespace = to_regnamespace('multi_pair_db') and relname !~ '^archived_fills'`;
  return rows
    .map((row) => String(row['name']))
    .filter((name) => !ownTables(level).includes(name))
    .map((name) => `the table multi_pair_db.${name} is left`);
}
