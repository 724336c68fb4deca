import type { Sql } from 'postgres';
import { allPairs, type Kind, kinds, pairsKind } from './kinds.ts';
import type { Ledger, Stored } from './ledger.ts';

/** What is stored, by kind: versions by id, and what of the other columns is not as its version has it. */
interface Found {
  readonly versions: ReadonlyMap<string, Stored>;
  readonly problems: readonly string[];
}

/**
 * Holds every row of the services against the ledgers, of which one has to be the truth: after a restore that was cut off,
 * all of it is done or nothing. Gives that one, or what is wrong with the first.
 */
export async function audit(
  sql: Sql,
  ledgers: readonly Ledger[],
): Promise<{ readonly truth: Ledger | undefined; readonly problems: readonly string[] }> {
  const { versions, problems } = await readAll(sql);
  if (problems.length > 0) return { truth: undefined, problems };
  const compared = ledgers.map((ledger) =>
    [...versions].flatMap(([kind, stored]) => ledger.compare(kind, stored)),
  );
  const truth = ledgers[compared.findIndex((differences) => differences.length === 0)];
  if (truth === undefined) {
    const others = ledgers.length > 1 ? ['and it is not what the backup says either'] : [];
    return { truth, problems: [...(compared[0] ?? []), ...others] };
  }
  for (const [kind, stored] of versions) truth.settle(kind, stored);
  return { truth, problems: [] };
}

/** Holds a copy against what was committed before it was begun: of each row that version, or a later one. */
export async function auditCopy(sql: Sql, ledger: Ledger): Promise<readonly string[]> {
  const { versions, problems } = await readAll(sql);
  return [...problems, ...[...versions].flatMap(([kind, stored]) => ledger.compareLater(kind, stored))];
}

async function readAll(sql: Sql): Promise<Found> {
  const versions = new Map<string, Stored>();
  const problems: string[] = [];
  for (const kind of kinds) {
    const stored = await readKind(sql, kind);
    versions.set(kind.prefix, stored.versions);
    problems.push(...stored.problems);
  }
  const pairs = await readPairs(sql);
  if (pairs !== undefined) {
    versions.set(pairsKind, pairs.versions);
    problems.push(...pairs.problems);
  }
  return { versions, problems };
}

async function readKind(
  sql: Sql,
  kind: Kind,
): Promise<{ readonly versions: Stored; readonly problems: string[] }> {
  const columns = ['id', kind.versionColumn, ...Object.keys(kind.columns(0))];
  const rows = await sql`select ${sql(columns)} from ${sql(kind.table)} where id like ${`${kind.prefix}%`}`;
  const problems = rows.flatMap((row) => {
    const version = Number(row[kind.versionColumn]);
    return Object.entries(kind.columns(version)).flatMap(([column, value]) =>
      String(row[column]) === String(value)
        ? []
        : [`${kind.prefix} ${row['id']}.${column} is ${row[column]}, and ${value} was committed`],
    );
  });
  const versions = rows.map((row): [string, number] => [String(row['id']), Number(row[kind.versionColumn])]);
  return { versions: new Map(versions), problems };
}

/**
 * Undefined where a rollback has taken the column away: what was in it is put aside, and looked at when it is back. A run that
 * is cut off between the two leaves the column empty, and what belongs into it still put aside.
 */
async function readPairs(
  sql: Sql,
): Promise<{ readonly versions: Stored; readonly problems: string[] } | undefined> {
  const [column] = await sql`
    select from pg_attribute where attrelid = 'sessions'::regclass and attname = 'pairs' and not attisdropped`;
  if (column === undefined) return undefined;
  const [aside] = await sql`select to_regclass('multi_pair_db.undo_sessions') is not null as present`;
  const rows = await (aside?.['present'] === true
    ? sql`
        select s.id, case when s.pairs = '[]' then coalesce(u.pairs, s.pairs) else s.pairs end as pairs
        from sessions as s left join multi_pair_db.undo_sessions as u on u.id = s.id
        where s.id like 's.new.%'`
    : sql`select id, pairs from sessions where id like 's.new.%'`);
  const lists = rows.map((row): [string, unknown] => [String(row['id']), row['pairs']]);
  const problems = lists.flatMap(([id, pairs]) => {
    const wanted = allPairs.slice(0, Array.isArray(pairs) ? pairs.length : 0);
    return JSON.stringify(pairs) === JSON.stringify(wanted)
      ? []
      : [`pairs of ${id} are ${JSON.stringify(pairs)}`];
  });
  const versions = lists.map(([id, pairs]): [string, number] => [
    id,
    Array.isArray(pairs) ? pairs.length : -1,
  ]);
  return { versions: new Map(versions), problems };
}
