import { sql } from 'drizzle-orm';
import { describe, expect, test } from 'vitest';
import {
  DatabaseError,
  findOrder,
  insertSession,
  listOrders,
  listSessionsByPair,
} from '../../../src/queries/index.ts';
import { createDatabase } from '../../support/database.ts';
import { connect, drivers } from '../../support/handles.ts';
import { selectAll } from '../suites/variants.ts';

describe.each(drivers)('%s', (driver) => {
  test('a query is parsed once for each connection, transactions included', async () => {
    await using database = await createDatabase(18, 'migrated');
    await using client = connect(driver, database.url, 1);
    for (let call = 0; call < 3; call++) {
      await listOrders(client.db, { sessionId: `s${call}` });
      await client.db.transaction((tx) => listOrders(tx, { sessionId: `s${call}` }));
    }
    await listOrders(client.db, { sessionId: 's', symbol: 'A' });
    const prepared = await selectAll(
      client.db,
      `select (generic_plans + custom_plans)::integer as runs from pg_prepared_statements
       where statement like '%from orders%sessionid%' and statement not like '%pg_prepared%' order by runs`,
    );
    expect(prepared).toEqual([{ runs: 1 }, { runs: 6 }]);
  });

  test('what the server refuses has a code of ours', async () => {
    await using empty = await createDatabase(18, 'empty');
    await using nothing = connect(driver, empty.url, 1);
    await expect(findOrder(nothing.db, { id: 'secret' })).rejects.toMatchObject({
      code: 'schema_mismatch',
      sqlState: '42P01',
      message: expect.stringMatching(/^findOrder: .*relation "orders" does not exist$/),
    });

    await using database = await createDatabase(18, 'migrated');
    await using client = connect(driver, database.url, 1);
    await client.db.execute(sql`set default_transaction_read_only = on`);
    await expect(insertSession(client.db, { id: 'secret' })).rejects.toMatchObject({ code: 'read_only' });
    await client.db.execute(sql`set default_transaction_read_only = off`);

    await client.db.execute(sql`set statement_timeout = '50ms'`);
    await database.sql.begin(async (blocker) => {
      await blocker`lock table orders`;
      await expect(findOrder(client.db, { id: 'secret' })).rejects.toMatchObject({
        code: 'statement_timeout',
        isRetryable: false,
      });
    });
  });

  test('a server that is not there, or ends the connection, can be tried again', async () => {
    await using nobody = connect(driver, 'postgres://postgres:hunter2@127.0.0.1:1/none', 1);
    const refused: unknown = await findOrder(nobody.db, { id: 'secret' }).catch((error) => error);
    expect(refused).toBeInstanceOf(DatabaseError);
    expect(refused).toMatchObject({ code: 'connection_failed', isRetryable: true, sqlState: undefined });
    expect(String(refused)).not.toMatch(/hunter2|secret/);
  });

  test('a value that does not fit is refused without being shown', async () => {
    await using database = await createDatabase(18, 'migrated');
    await using client = connect(driver, database.url, 1);
    await client.db.execute(sql`alter table sessions alter column status type varchar(3)`);
    const insertions = [
      // Seen here, before anything is sent.
      [{ settings: { key: 'hunter2\0' } }, { code: 'invalid_argument' }],
      // Seen by the server.
      [{ status: 'hunter2' }, { code: 'value_refused', sqlState: '22001' }],
    ] as const;
    for (const [values, expected] of insertions) {
      const refused: unknown = await insertSession(client.db, { id: 's', ...values }).catch((error) => error);
      expect(refused).toMatchObject(expected);
      expect(JSON.stringify(refused) + String(refused)).not.toContain('hunter2');
    }
    expect(await listSessionsByPair(client.db, { pair: 'A' })).toEqual([]);
  });
});
