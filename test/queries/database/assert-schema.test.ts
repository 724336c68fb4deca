import type { PGlite } from '@electric-sql/pglite';
import { drizzle } from 'drizzle-orm/pglite';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { assertSchema, SchemaMismatchError } from '../../../src/queries/index.ts';
import { expectedObjects, isLiveColumn, liveColumns, tags } from '../../support/facts.ts';
import { readLegacySchema } from '../../support/migrations.ts';
import { createPglite } from '../../support/pglite.ts';

const ownColumns = expectedObjects.filter(({ kind, table }) => kind === 'column' && table in liveColumns);

let client: PGlite;
const sent: string[] = [];
const open = (pglite: PGlite) => drizzle(pglite, { logger: { logQuery: (text) => void sent.push(text) } });
beforeAll(async () => {
  client = await createPglite('migrated');
});
beforeEach(async () => {
  await client.exec('begin; savepoint before');
  sent.length = 0;
});
afterEach(() => client.exec('rollback; reset role'));
afterAll(() => client.close());

async function faultsOf(pglite = client): Promise<readonly string[]> {
  const error: unknown = await assertSchema(open(pglite)).then(
    () => undefined,
    (thrown) => thrown,
  );
  if (error === undefined) return [];
  if (!(error instanceof SchemaMismatchError)) throw error;
  expect(error).toMatchObject({ code: 'schema_mismatch', isRetryable: false });
  for (const fault of error.faults) expect(error.message).toContain(fault);
  expect(error.message).toContain('npx multi-pair-db migrate');
  return error.faults;
}

describe('a migrated database', () => {
  test('is as it should be: one statement, which reads no row of the tables', async () => {
    expect(await faultsOf()).toEqual([]);
    expect(sent).toHaveLength(1);
    expect(sent[0]).not.toMatch(/(from|join) (sessions|orders|fills)\b/);
  });

  test.each([
    ['drop index idx_fills_unique_dedup', ['index idx_fills_unique_dedup of fills is missing']],
    [
      `update pg_index set indisvalid = false where indexrelid = 'idx_sessions_pairs_gin'::regclass`,
      ['index idx_sessions_pairs_gin of sessions is INVALID: a build of it has failed'],
    ],
    [
      'drop index idx_fills_unique_dedup; create index idx_fills_unique_dedup on fills (id)',
      ['index idx_fills_unique_dedup of fills is not unique'],
    ],
    // An index of that name on another table serves nothing here.
    [
      'drop index idx_orders_symbol_status; create index idx_orders_symbol_status on fills (symbol)',
      ['index idx_orders_symbol_status of orders is missing'],
    ],
    [
      'alter table sessions disable trigger trg_sessions_sync_pairs; alter table orders enable trigger trg_orders_set_pair_index',
      [
        'trigger trg_orders_set_pair_index of orders is not enabled always',
        'trigger trg_sessions_sync_pairs of sessions is disabled',
      ],
    ],
    [
      'drop trigger trg_orders_set_pair_index on orders',
      ['trigger trg_orders_set_pair_index of orders is missing'],
    ],
    [
      'alter table orders drop column pair_index cascade',
      ['column orders.pair_index is missing', 'trigger trg_orders_set_pair_index of orders is missing'],
    ],
    ['alter table fills alter price type numeric', ['column fills.price is numeric, not real']],
    [
      `delete from multi_pair_db.migrations where created_at = (select max(created_at) from multi_pair_db.migrations)`,
      [`migration ${tags.at(-1)} is not recorded as applied`],
    ],
  ])('%s', async (damage, faults) => {
    await client.exec(damage);
    expect(await faultsOf()).toEqual(faults);
  });

  test('whose journal this role may not read is judged by the rest', async () => {
    await client.exec('rollback');
    await client.exec('create role service; grant select on sessions to service; set role service');
    expect(await faultsOf()).toEqual([]);
    await client.exec(
      'reset role; alter table sessions disable trigger trg_sessions_sync_pairs; set role service',
    );
    expect(await faultsOf()).toEqual(['trigger trg_sessions_sync_pairs of sessions is disabled']);
    await client.exec(
      'reset role; alter table sessions enable always trigger trg_sessions_sync_pairs; drop owned by service; drop role service',
    );
  });

  test('whose tables are not on the search path has none of them', async () => {
    await client.exec('set local search_path to pg_catalog');
    expect((await faultsOf()).filter((fault) => fault.startsWith('column'))).toHaveLength(ownColumns.length);
  });
});

test('the live database of before: what the migration brings is what is missing', async () => {
  const legacy = await createPglite('empty');
  try {
    await legacy.exec(await readLegacySchema());
    const faults = await faultsOf(legacy);
    expect(faults).toContain('the journal multi_pair_db.migrations is missing');
    expect(faults.filter((fault) => fault.startsWith('column'))).toEqual(
      ownColumns
        .filter((column) => !isLiveColumn(column))
        .map(({ table, name }) => `column ${table}.${name} is missing`)
        .toSorted(),
    );
  } finally {
    await legacy.close();
  }
});
