import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Connection } from '../../../src/connection/connection.ts';
import { connectEmbedded } from '../../../src/connection/open.ts';
import { listDrift } from '../../../src/migrate/plan/drift.ts';
import { readFingerprint } from '../../../src/migrate/plan/fingerprint.ts';
import { readConcurrentIndex } from '../../../src/migrate/plan/head.ts';
import { type SavedPlan, toSavedPlan } from '../../../src/migrate/plan/saved-plan.ts';
import { applyMigrations, checkPlan, ownProject, planMigrations } from '../../../src/own/index.ts';
import { tags } from '../../support/facts.ts';
import { readLegacySchema } from '../../support/migrations.ts';
import { createPglite } from '../../support/pglite.ts';

/** What older attempts have left: a column and indexes of our names that are otherwise, one INVALID, one set aside. */
const asExpected = 'idx_orders_symbol_status';
const olderAttempts = `
  alter table sessions add column pairs jsonb not null default '{}';
  create unique index idx_fills_unique_dedup on fills (id, execid);
  create index idx_orders_session_symbol on orders (symbol);
  create index idx_orders_session_symbol__set_aside on orders (sessionid);
  create index idx_sessions_pairs_gin on sessions using gin (pairs);
  create index ${asExpected} on orders (symbol, status);
  update pg_index set indisvalid = false where indexrelid = 'idx_sessions_pairs_gin'::regclass;
  insert into sessions (id, symbol) select n::text, 'BTC/USD' from generate_series(1, 20) as n`;

async function open(): Promise<{ connection: Connection; saved: SavedPlan }> {
  const connection = await connectEmbedded(await createPglite('empty'));
  await connection.execute(await readLegacySchema());
  await connection.execute(olderAttempts);
  return { connection, saved: toSavedPlan(await planMigrations(connection)) };
}

/** Settings, and what of the frame only reads. */
const touchesNothing =
  /^(set|begin|call multi_pair_db\.(rest|require_column|expect_column|prove|hand_over))\b/;

const mark = (connection: Connection, index: string, valid: boolean): Promise<void> =>
  connection.execute(`update pg_index set indisvalid = ${valid} where indexrelid = to_regclass('${index}')`);

let walked: Awaited<ReturnType<typeof open>>;
beforeAll(async () => {
  walked = await open();
});
afterAll(() => walked.connection.close());

test('wherever a run may be stopped, what it leaves is no drift', async () => {
  const { connection, saved } = walked;
  const plan = await planMigrations(connection);
  let looks = 0;
  const look = async (after: string): Promise<void> => {
    const catalog = await readFingerprint(connection, ownProject, []);
    expect(listDrift(saved, { ...plan, catalog }), after).toEqual([]);
    looks++;
  };
  for (const { tag, steps } of plan.migrations) {
    let isOpen = false;
    for (const { sql, leaves, optional } of steps) {
      const dropped = /^drop index concurrently if exists (\w+)/.exec(sql.trim())?.[1];
      if (dropped !== undefined) {
        // Broken off, it leaves the index INVALID.
        await mark(connection, dropped, false);
        await look(`within ${sql}`);
      }
      await connection.execute(sql).catch((error: unknown) => {
        if (!optional) throw error;
      });
      if (leaves !== undefined) isOpen = leaves === 'transaction';
      // What stands in a transaction is gone when the run is.
      if (isOpen || touchesNothing.test(sql.trim())) continue;
      await look(`${tag} after ${sql}`);
      const built = readConcurrentIndex(sql);
      if (built === undefined || built === asExpected) continue;
      await mark(connection, built, false);
      await look(`within ${sql}`);
      await mark(connection, built, true);
    }
  }
  expect(looks).toBeGreaterThan(60);
  expect(listDrift(saved, await planMigrations(connection))).toEqual([]);
});

/** What somebody may do between two runs of a plan, and what the second says. */
const foreign: readonly (readonly [change: string, drift: string])[] = [
  ['alter table sessions add column sneaked integer', 'column sessions.sneaked is new'],
  ['create index sneaked on fills (price)', 'index fills.sneaked is new'],
  [
    'create trigger sneaked after insert on orders for each row execute function multi_pair_db.keep_journal()',
    'trigger orders.sneaked is new',
  ],
  ['alter table fills add constraint sneaked check (price > 0) not valid', 'constraint fills.sneaked is new'],
  ['drop index idx_fills_symbol', 'index fills.idx_fills_symbol is gone'],
  // Under names of ours, and otherwise than the files leave it.
  [
    'alter table sessions alter column pair_count set default 1',
    'column sessions.pair_count is not as the plan makes it',
  ],
  [
    'alter table sessions alter column pairs set not null',
    'column sessions.pairs is not as the plan makes it',
  ],
  [
    'alter table sessions disable trigger trg_sessions_sync_pairs',
    'trigger sessions.trg_sessions_sync_pairs is not as the plan makes it',
  ],
  [
    `alter table sessions drop constraint sessions_pairs_is_array_of_strings;
     alter table sessions add constraint sessions_pairs_is_array_of_strings check (pairs is not null) not valid`,
    'constraint sessions.sessions_pairs_is_array_of_strings is not as the plan makes it',
  ],
  [
    "create or replace procedure multi_pair_db.hand_over() language plpgsql as 'begin null; end'",
    'procedure multi_pair_db.hand_over() is not as the plan makes it',
  ],
  [
    "create function multi_pair_db.sneaked() returns integer language sql as 'select 1'",
    'procedure multi_pair_db.sneaked() is new',
  ],
  [
    'create index idx_sessions_pair_count__set_aside on sessions (pair_count)',
    'index sessions.idx_sessions_pair_count__set_aside is new',
  ],
  [
    'create unique index idx_fills_session_symbol__broken on fills (sessionid)',
    'index fills.idx_fills_session_symbol__broken is new',
  ],
];
/** The same, of indexes that 0002 has not come to yet, or is at. */
const foreignInside: typeof foreign = [
  [
    'create index idx_fills_symbol_timestamp on fills (id)',
    'index fills.idx_fills_symbol_timestamp is not as the plan makes it',
  ],
  [
    'create unique index idx_fills_symbol_timestamp on fills (symbol, timestamp, id)',
    'index fills.idx_fills_symbol_timestamp is not as the plan makes it',
  ],
  // It serves until its successor stands.
  [
    'drop index idx_orders_session_symbol__set_aside',
    'index orders.idx_orders_session_symbol is gone, index orders.idx_orders_session_symbol__set_aside is gone',
  ],
  [
    `drop index idx_orders_session_symbol__set_aside;
     create index idx_orders_session_symbol__set_aside on orders (id)`,
    'index orders.idx_orders_session_symbol__set_aside is another',
  ],
  [`drop index ${asExpected}`, `index orders.${asExpected} is gone`],
];

describe('a run of a plan that was stopped half way', () => {
  let connection: Connection;
  let saved: SavedPlan;
  beforeAll(async () => {
    ({ connection, saved } = await open());
  });
  afterAll(() => connection.close());

  /** Runs the plan, and stops it before a statement that begins so. */
  async function stopBefore(tag: string, head: string): Promise<void> {
    const stop = new AbortController();
    const run = applyMigrations(connection, {
      plan: saved,
      signal: stop.signal,
      onProgress: (event) => {
        if (event.kind === 'statement' && event.tag === tag && event.statement.startsWith(head)) stop.abort();
      },
    });
    await expect(run).rejects.toMatchObject({ code: 'INTERRUPTED' });
  }

  /** Each in a transaction that is rolled back. */
  async function expectDrift(changes: typeof foreign): Promise<void> {
    const now = await checkPlan(connection, saved);
    for (const [change, drift] of changes) {
      await connection.execute(`begin; ${change}`);
      const catalog = await readFingerprint(connection, ownProject, []);
      expect(listDrift(saved, { ...now, catalog }), change).toEqual([`another catalog: ${drift}`]);
      await connection.execute('rollback');
    }
  }

  test('goes on, and is refused after a drift: in 0001', async () => {
    await stopBefore(tags[1] ?? '', 'do $pair_index$');
    await expectDrift(foreign);
    await connection.execute('alter table orders add column sneaked integer');
    const refused = applyMigrations(connection, { plan: saved });
    await expect(refused).rejects.toMatchObject({
      exitCode: 4,
      message: expect.stringMatching(/:\n {2}another catalog: column orders\.sneaked is new$/),
    });
    await connection.execute('alter table orders drop column sneaked');
  });

  test('in 0002, with what it has set aside', async () => {
    await stopBefore(tags[2] ?? '', 'create index concurrently if not exists idx_orders_session_symbol ');
    await expectDrift([...foreign, ...foreignInside]);
    const { migrations, applied } = await checkPlan(connection, saved);
    expect([applied, migrations.map(({ tag }) => tag)]).toEqual([tags.slice(0, 2), tags.slice(2)]);
  });

  test('to its end, and then nothing is left of it', async () => {
    const { alreadyApplied, applied } = await applyMigrations(connection, { plan: saved });
    expect([alreadyApplied, applied.map(({ tag }) => tag)]).toEqual([tags.slice(0, 2), tags.slice(2)]);
    await expectDrift(foreign);
    expect(await applyMigrations(connection, { plan: saved })).toMatchObject({ applied: [], repaired: [] });
    // What a run of it has made and somebody has taken away is a repair, which is not in the plan.
    await connection.execute('drop trigger trg_sessions_sync_pairs on sessions');
    await expect(checkPlan(connection, saved)).rejects.toMatchObject({
      message: expect.stringContaining(`other files: ${tags[1]} is to be repaired now`),
    });
  });
});
