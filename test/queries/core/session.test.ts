import { expect, test } from 'vitest';
import { isSession, sendThrough } from '../../../src/queries/core/session.ts';
import { listFills, withoutPreparedStatements } from '../../../src/queries/index.ts';

const statement = {
  text: 'select 1',
  params: ['a'],
  mapRows: (rows: unknown[][]) => rows.map(([id]) => ({ id })),
};

/** A session that keeps what it was asked for, and has one row. */
function recorder(more: object) {
  const calls: unknown[][] = [];
  const prepareQuery = (...args: unknown[]) => {
    calls.push(args);
    const map = args.find((one) => typeof one === 'function');
    return { execute: async () => (typeof map === 'function' ? map([[7]]) : []) };
  };
  return { calls, session: { prepareQuery, ...more } };
}

test('0.45: fields, name, array mode; without a name it is undefined', async () => {
  const { calls, session } = recorder({});
  expect(await sendThrough(session, { ...statement, name: 'n' })).toEqual([{ id: 7 }]);
  await sendThrough(session, { ...statement, name: undefined });
  const query = { sql: 'select 1', params: ['a'] };
  expect(calls).toEqual([
    [query, undefined, 'n', true, statement.mapRows],
    [query, undefined, undefined, true, statement.mapRows],
  ]);
});

test('1.0: mode, name; without a name it is false, so that no driver prepares it', async () => {
  const { calls, session } = recorder({ arrays: () => {}, objects: () => {} });
  expect(await sendThrough(session, { ...statement, name: 'n' })).toEqual([{ id: 7 }]);
  await sendThrough(session, { ...statement, name: undefined });
  const query = { sql: 'select 1', params: ['a'] };
  expect(calls).toEqual([
    [query, 'arrays', 'n', statement.mapRows],
    [query, 'arrays', false, statement.mapRows],
  ]);
});

test('what is no handle is refused by name', async () => {
  const handles = [
    undefined,
    null,
    {},
    { _: {} },
    { _: { session: {} } },
    { _: { session: { prepareQuery: 1 } } },
  ];
  for (const handle of handles) {
    const db = handle as unknown as Parameters<typeof listFills>[0];
    await expect(listFills(db, { sessionId: 's' })).rejects.toMatchObject({
      code: 'invalid_argument',
      message: expect.stringContaining('Drizzle PostgreSQL handle'),
    });
    expect(() => withoutPreparedStatements(db)).toThrow('Drizzle handle');
  }
  expect(isSession(undefined)).toBe(false);
});
