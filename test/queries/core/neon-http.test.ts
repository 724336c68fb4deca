import { type PGlite, types } from '@electric-sql/pglite';
import { neon, neonConfig } from '@neondatabase/serverless';
import { drizzle } from 'drizzle-orm/neon-http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import * as queries from '../../../src/queries/index.ts';
import { createPglite } from '../../support/pglite.ts';

const asText = Object.fromEntries(Object.values(types).map((type) => [type, (value: string) => value]));

/** What Neon answers over HTTP, from an embedded database: values as PostgreSQL writes them, rows as arrays. */
async function answer(client: PGlite, body: string): Promise<Response> {
  const { query, params } = JSON.parse(body) as { query: string; params: unknown[] };
  try {
    const { rows, fields } = await client.query(query, params, { rowMode: 'array', parsers: asText });
    return Response.json({ command: 'SELECT', rowCount: rows.length, rows, fields, rowAsArray: true });
  } catch (error) {
    const { code, message } = error as { code: string; message: string };
    return Response.json({ code, message }, { status: 400 });
  }
}

let client: PGlite;
beforeAll(async () => {
  client = await createPglite('migrated');
  neonConfig.fetchFunction = (_: string, { body }: { body: string }) => answer(client, body);
});
afterAll(() => client.close());

const db = drizzle({ client: neon('postgres://user:secret@db.example.test/trading') });
const session = { id: 's', startedAt: 5, pairs: ['A'], settleSession: true };

test('rows are as on any other handle', async () => {
  await queries.assertSchema(db);
  expect(await queries.insertSession(db, session)).toMatchObject({
    id: 's',
    startedAt: 5,
    pairs: ['A'],
    pairCount: 1,
  });
  expect(await queries.saveOrders(db, [{ id: 'o', sessionId: 's', symbol: 'A', lastUpdated: 7 }])).toEqual([
    { id: 'o', outcome: 'inserted' },
  ]);
  const fill = {
    id: 'f',
    sessionId: 's',
    symbol: 'A',
    timestamp: 6,
    price: '0.1',
    size: '2',
    side: 'buy',
    tradeId: '9007199254740993',
  };
  expect(await queries.insertFills(db, [fill])).toEqual([{ id: 'f', outcome: 'inserted' }]);
  expect(await queries.findFill(db, { id: 'f' })).toMatchObject({
    price: 0.1,
    tradeId: 9007199254740993n,
  });
  expect(await queries.listSessionsByPairs(db, { pairs: ['A'], match: 'all' })).toHaveLength(1);
  expect(await queries.listPairPnl(db, { method: 'fifo', sessionId: 's' })).toMatchObject([
    { position: '2' },
  ]);
});

test('errors are ours', async () => {
  await expect(queries.insertSession(db, session)).rejects.toMatchObject({
    code: 'unique_violation',
    sqlState: '23505',
  });
});

test('what needs a transaction says that there is none, and what has them', async () => {
  const none = { code: 'invalid_argument', message: expect.stringContaining('neon-serverless') };
  await expect(queries.findFill(db, { id: 'f', timeoutMs: 500 })).rejects.toMatchObject(none);
  const settled = queries.settleSessions(db, async () => {}, { transaction: true, whenIdle: 'end' });
  await expect(settled).rejects.toMatchObject(none);
  const tx = db as unknown as queries.Transaction;
  await expect(queries.claimSessionsToSettle(tx)).rejects.toMatchObject(none);
});
