import type { Sql } from 'postgres';
import { openConnection } from '../../../src/connection/open.ts';
import { applyMigrations } from '../../../src/own/index.ts';
import { readCatalog } from '../../support/catalog.ts';
import { migrationOf } from '../../support/facts.ts';
import { readLegacySchema } from '../../support/migrations.ts';
import type { TestServer } from '../../support/server.ts';
import { withSession } from '../ground/ground.ts';
import { type Level, levels, live } from '../work/levels.ts';

/** What the three tables are, as a list that can be compared: each column, constraint, trigger and index is one item. */
export type Items = ReadonlySet<string>;

/** What they are at each level where nothing has gone wrong: by the sources of this checkout, on a database without rows. */
export type Reference = Readonly<Record<Level, Items>>;

export async function makeReference(server: TestServer): Promise<Reference> {
  await withSession(server.url('postgres'), (sql) => sql`create database reference`);
  const url = server.url('reference');
  await withSession(url, async (sql) => sql.unsafe(await readLegacySchema()));
  const reference: Record<Level, Items> = {};
  for (const level of levels) {
    await using connection = await openConnection(url);
    if (level !== live) await applyMigrations(connection, { upTo: migrationOf(level).tag });
    reference[level] = await withSession(url, readItems);
  }
  return reference;
}

export async function readItems(sql: Sql): Promise<Items> {
  const [row] = await sql.unsafe<{ catalog: Record<string, unknown[] | null> }[]>(readCatalog);
  const items = Object.entries(row?.catalog ?? {}).flatMap(([section, list]) =>
    (list ?? []).map((item) => `${section}: ${JSON.stringify(item)}`),
  );
  return new Set(items);
}
