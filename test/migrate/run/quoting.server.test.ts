import { describe, expect, test } from 'vitest';
import { openConnection } from '../../../src/connection/open.ts';
import { applyMigrations, readStatus, runPreflight, verifyDatabase } from '../../../src/own/index.ts';
import { createDatabase, type TestDatabase } from '../../support/database.ts';
import { createKitProject } from '../../support/drizzle-kit.ts';
import { forEachTag } from '../../support/facts.ts';
import { readLegacySchema } from '../../support/migrations.ts';
import { rollBackDatabaseDownTo } from '../../support/rollback.ts';
import { serverVersions } from '../../support/server.ts';

/** A live database whose tables stand in a schema that needs quotes, or where PostgreSQL quotes every name. */
const databases: readonly { readonly name: string; readonly schema: string; readonly quotesAll: boolean }[] =
  [
    { name: 'tables in the schema "Trading"', schema: 'Trading', quotesAll: false },
    { name: 'quote_all_identifiers on', schema: 'public', quotesAll: true },
    {
      name: 'tables in a schema of strange name, and quote_all_identifiers on',
      schema: 'it"s ON top',
      quotesAll: true,
    },
  ];

async function createLive(version: (typeof serverVersions)[number], live: (typeof databases)[number]) {
  const db = await createDatabase(version, 'empty');
  const schema = `"${live.schema.replaceAll('"', '""')}"`;
  await db.sql.unsafe(`create schema if not exists ${schema};
    alter database ${db.name} set search_path = ${schema};
    alter database ${db.name} set quote_all_identifiers = ${live.quotesAll ? 'on' : 'off'}`);
  // A session of before has the settings of before.
  const session = db.connect({ max: 1 });
  await session.unsafe(await readLegacySchema());
  await session.unsafe(`insert into sessions (id, symbol) values ('a', 'BTC/USD');
    insert into orders (id, sessionid, symbol) values ('o', 'a', 'BTC/USD')`);
  return { db, session };
}

async function preflight(db: TestDatabase) {
  await using connection = await openConnection(db.url);
  const { checks } = await runPreflight(connection);
  return checks.filter(({ level }) => level === 'warning' || level === 'blocker');
}

async function findings(db: TestDatabase) {
  await using connection = await openConnection(db.url);
  const states = (await readStatus(connection)).migrations.map(({ state }) => state);
  return { states, findings: (await verifyDatabase(connection)).findings };
}

const done = { states: forEachTag('applied'), findings: [] };

describe.each(serverVersions)('PostgreSQL %i', (version) => {
  test.each(databases)('the engine goes forward, back and forward again: $name', async (live) => {
    const { db, session } = await createLive(version, live);
    await using _ = db;
    expect(await preflight(db)).toEqual([]);
    const apply = async (): Promise<void> => {
      await using connection = await openConnection(db.url);
      await applyMigrations(connection);
    };
    await apply();
    expect(await findings(db)).toEqual(done);
    expect(await preflight(db)).toEqual([]);

    await session`update sessions set pairs = '["BTC/USD", "ETH/USD"]'`;
    await rollBackDatabaseDownTo(db.url, '0');
    await apply();
    expect(await findings(db)).toEqual(done);
    expect(await session`select pairs, pair_count from sessions`).toEqual([
      { pairs: ['BTC/USD', 'ETH/USD'], pair_count: 2 },
    ]);
  });

  // The last one is both; each project of drizzle-kit costs some seconds.
  test.each(databases.slice(-1))('stock drizzle-kit: $name', async (live) => {
    const { db } = await createLive(version, live);
    await using _ = db;
    await using kit = await createKitProject('postgres');
    expect(await kit.migrate(db.url)).toMatchObject({ code: 0 });
    expect(await findings(db)).toEqual(done);
  });
});
