import { withReplicas } from 'drizzle-orm/pg-core';
import { drizzle } from 'drizzle-orm/pg-proxy';
import { expect, test } from 'vitest';
import type { Database } from '../../../src/queries/core/database.ts';
import * as queries from '../../../src/queries/index.ts';
import { callsOn } from '../../support/calls.ts';

/** Handles that note who was asked, and find nothing. */
function cluster(choose?: (replicas: readonly unknown[]) => number) {
  const asked: string[] = [];
  const handle = (name: string) =>
    drizzle(async () => {
      asked.push(name);
      return { rows: [] };
    });
  const [primary, first, second] = [handle('primary'), handle('replica 1'), handle('replica 2')];
  const replicas: [typeof first, typeof second] = [first, second];
  const db = withReplicas(primary, replicas, choose && ((all) => all[choose(all)] ?? first));
  return { asked, db };
}

/** What it answers is nothing, which some take for a fault of theirs. */
const run = async (call: (options: never) => unknown, options: object): Promise<void> => {
  await Promise.resolve(options as never)
    .then(call)
    .catch((error: unknown) => {
      if (!(error instanceof queries.QueryError)) throw error;
    });
};

test.each(Object.entries(callsOn(cluster().db)))('%s', async (name) => {
  const { asked, db } = cluster(() => 1);
  const [call, valid] = callsOn(db)[name] ?? [];
  if (call === undefined || valid === undefined) throw new Error(`no call of ${name}`);
  const isRead = /^(find|list|has|stream)[A-Z]/.test(name);
  for (const more of [{}, { signal: new AbortController().signal }]) {
    asked.length = 0;
    await run(call, { ...valid, ...more });
    expect(new Set(asked)).toEqual(new Set([isRead ? 'replica 2' : 'primary']));
  }
});

test('all statements of a call go to one replica, which is chosen once', async () => {
  let calls = 0;
  const { asked, db } = cluster(() => calls++ % 2);
  await queries.listSessionsByPair(db, { pair: 'A' });
  expect(asked).toEqual(['replica 1', 'replica 1']);
  await queries.listSessionsByPair(db, { pair: 'A' });
  expect(asked).toEqual(['replica 1', 'replica 1', 'replica 2', 'replica 2']);
});

test('where nothing chooses, Drizzle does, and both are asked', async () => {
  const { asked, db } = cluster();
  for (let i = 0; i < 100; i++) await queries.findFill(db, { id: 'f' });
  expect(new Set(asked)).toEqual(new Set(['replica 1', 'replica 2']));
});

test('without prepared statements, and on the primary that is asked for', async () => {
  const { asked, db } = cluster(() => 0);
  await queries.findFill(queries.withoutPreparedStatements<Database>(db), { id: 'f' });
  await queries.findFill(db.$primary, { id: 'f' });
  expect(asked).toEqual(['replica 1', 'primary']);
});
