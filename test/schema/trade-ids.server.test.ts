import { drizzle as drizzleNodePostgres } from 'drizzle-orm/node-postgres';
import { drizzle as drizzlePostgresJs } from 'drizzle-orm/postgres-js';
import pg from 'pg';
import postgres from 'postgres';
import { expect, test } from 'vitest';
import { insertFills, listFills } from '../../src/queries/index.ts';
import { createDatabase } from '../support/database.ts';
import { connect } from '../support/handles.ts';
import { closePool, createPool } from '../support/pool.ts';
import { serverVersions } from '../support/server.ts';
import { schema, tradeIdsSuite } from './suites/trade-ids.ts';

for (const version of serverVersions) {
  tradeIdsSuite(`PostgreSQL ${version}, postgres.js`, async () => {
    const database = await createDatabase(version, 'migrated');
    const client = postgres(database.url, { max: 2 });
    return {
      db: drizzlePostgresJs(client, { schema }),
      [Symbol.asyncDispose]: async () => {
        await client.end();
        await database[Symbol.asyncDispose]();
      },
    };
  });

  tradeIdsSuite(`PostgreSQL ${version}, node-postgres`, async () => {
    const database = await createDatabase(version, 'migrated');
    const client = createPool(database.url, 2);
    return {
      db: drizzleNodePostgres(client, { schema }),
      [Symbol.asyncDispose]: async () => {
        await closePool(client);
        await database[Symbol.asyncDispose]();
      },
    };
  });
}

test('a service that has int8 parsed as numbers gets no rounded trade id from our queries either', async () => {
  const version = serverVersions[0] ?? 18;
  await using database = await createDatabase(version, 'migrated');
  await using client = connect('node-postgres', database.url, 1);
  const given = pg.types.getTypeParser(pg.types.builtins.INT8);
  pg.types.setTypeParser(pg.types.builtins.INT8, Number);
  try {
    await insertFills(client.db, [{ id: 'a', symbol: 'A', tradeId: 7n, timestamp: 1 }]);
    const sessionFill = { id: 'b', symbol: 'A', tradeId: 2n ** 63n - 1n, timestamp: 2 };
    await insertFills(client.db, [sessionFill]);
    await database.sql`insert into sessions (id) values ('s')`;
    await database.sql`update fills set sessionid = 's' where id = 'a'`;
    expect(await listFills(client.db, { sessionId: 's' })).toMatchObject([{ tradeId: 7n, timestamp: 1 }]);
    await database.sql`update fills set sessionid = 's'`;
    await expect(listFills(client.db, { sessionId: 's' })).rejects.toMatchObject({
      code: 'database_error',
      message: expect.stringMatching(/^listFills: column tradeid: .*lost its last digits/),
    });
  } finally {
    pg.types.setTypeParser(pg.types.builtins.INT8, given);
  }
});
