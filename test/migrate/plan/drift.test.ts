import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Connection } from '../../../src/connection/connection.ts';
import { connectEmbedded } from '../../../src/connection/open.ts';
import type { DescribedPlan } from '../../../src/migrate/plan/describe.ts';
import { listDrift, maxPlanAgeMs } from '../../../src/migrate/plan/drift.ts';
import { parseSavedPlan, type SavedPlan, toSavedPlan } from '../../../src/migrate/plan/saved-plan.ts';
import { applyMigrations, planMigrations } from '../../../src/own/index.ts';
import { tags } from '../../support/facts.ts';
import { readLegacySchema } from '../../support/migrations.ts';
import { createPglite } from '../../support/pglite.ts';

let connection: Connection;
let plan: DescribedPlan;
let saved: SavedPlan;
beforeAll(async () => {
  connection = await connectEmbedded(await createPglite('empty'));
  await connection.execute(await readLegacySchema());
  await connection.execute(
    "insert into sessions (id, symbol) select n::text, 'BTC/USD' from generate_series(1, 8000) as n; analyze",
  );
  plan = await planMigrations(connection);
  saved = toSavedPlan(plan);
});
afterAll(() => connection.close());

test('a plan holds for what it was made from, also when it was read from a file', () => {
  expect(listDrift(saved, plan)).toEqual([]);
  const read = parseSavedPlan(JSON.stringify(saved), 'plan.json');
  expect(read).toEqual(saved);
  expect(listDrift(read, plan)).toEqual([]);
  expect(saved.files.map(({ tag }) => tag)).toEqual(tags);
  expect(saved.tables).toContainEqual({ table: 'sessions', rows: 8000 });
});

describe('each kind of drift is named', () => {
  const change = (changes: Partial<SavedPlan>): string[] => listDrift({ ...saved, ...changes }, plan);
  const [first, ...others] = tags;

  test('another database', () => {
    const other = { database: { ...saved.database, name: 'other' } };
    expect(change(other)).toEqual([
      expect.stringMatching(/^another database: the plan is of pglite, and this is pglite$/),
    ]);
    expect(change({ database: { ...saved.database, systemIdentifier: '1' } })).toHaveLength(1);
    // A server that does not tell its own id is known by its address.
    const silent = { database: { ...saved.database, systemIdentifier: null } };
    expect(change(silent)).toEqual([]);
    expect(change({ ...silent, target: 'elsewhere' })).toEqual([
      'another database: the plan is of elsewhere, and this is pglite',
    ]);
    // Its name elsewhere is no fault.
    expect(change({ target: 'elsewhere' })).toEqual([]);
    expect(change({ versionNumber: 150_018 })).toEqual([
      'another server: the plan is of PostgreSQL 15, and this is 18',
    ]);
  });

  test('older than seven days', () => {
    expect(change({ createdAtMs: plan.createdAtMs - maxPlanAgeMs })).toEqual([]);
    expect(change({ createdAtMs: plan.createdAtMs - maxPlanAgeMs - 1 })).toEqual([
      'too old: the plan was made 168 h 0 min ago, and holds for 7 days',
    ]);
  });

  test('other files', () => {
    const files = saved.files.map((file) => (file.tag === first ? { ...file, hash: 'another' } : file));
    expect(change({ files })).toEqual([`other files: drizzle/${first}.sql is not the one of the plan`]);
    expect(change({ files: saved.files.slice(0, 1) })).toEqual(
      others.map((tag) => `other files: ${tag} is to be applied, and is not in the plan`),
    );
    // Its own run has applied it, or repaired it, before it was stopped.
    const later = { ...plan, applied: [first ?? ''], migrations: plan.migrations.slice(1) };
    expect(listDrift(saved, later)).toEqual([]);
    const wasRepair = saved.files.map((file) => (file.tag === first ? { ...file, isRepair: true } : file));
    expect(listDrift({ ...saved, applied: [first ?? ''], files: wasRepair }, later)).toEqual([]);
    expect(listDrift(saved, { ...later, applied: [first ?? '', '0009_other'] })).toEqual([
      'other files: 0009_other has been applied since, and is not in the plan',
    ]);
    const hashes = { ...plan.hashes, [first ?? '']: 'another' };
    expect(listDrift(saved, { ...later, hashes })).toEqual([
      `other files: drizzle/${first}.sql is not the one of the plan`,
    ]);
    const gone = { ...saved.files[0], tag: '0009_gone', file: 'drizzle/0009_gone.sql' };
    expect(change({ files: [...saved.files, gone as SavedPlan['files'][number]] })).toEqual([
      'other files: drizzle/0009_gone.sql is not here',
    ]);
    expect(change({ applied: ['0009_undone'] })).toEqual([
      'other files: 0009_undone was applied, and is not any more',
    ]);
    const repairs = saved.files.map((file) => ({ ...file, isRepair: true }));
    expect(change({ files: repairs.slice(0, 1).concat(saved.files.slice(1)) })).toEqual([
      `other files: ${first} is to be applied now`,
    ]);
  });

  test('other rows: more than a quarter more or less, and more than a handful', () => {
    const rows = (was: number | null): string[] => change({ tables: [{ table: 'sessions', rows: was }] });
    expect(rows(8000)).toEqual([]);
    expect(rows(6400)).toEqual([]);
    expect(rows(6399)).toEqual(['other rows: sessions has about 8,000 rows, and the plan is for 6,399']);
    expect(rows(10_666)).toEqual([]);
    expect(rows(10_667)).toHaveLength(1);
    expect(rows(0)).toHaveLength(1);
    expect(rows(null)).toEqual([]);
    const small = {
      ...plan,
      tables: [{ ...plan.tables[0], table: 'sessions', rows: 1000 }],
    } as DescribedPlan;
    expect(listDrift({ ...saved, tables: [{ table: 'sessions', rows: 0 }] }, small)).toEqual([]);
  });
});

test('another catalog is named by its objects, refused under the lock, and the plan runs when it is as it was', async () => {
  await connection.execute('alter table sessions add column sneaked integer; drop index idx_fills_symbol');
  const message = expect.stringMatching(
    /does not hold any more; nothing was changed:\n {2}another catalog: column sessions\.sneaked is new, index fills\.idx_fills_symbol is gone$/,
  );
  await expect(applyMigrations(connection, { plan: saved })).rejects.toMatchObject({
    code: 'REFUSED',
    exitCode: 4,
    message,
  });
  expect(await connection.query("select to_regnamespace('multi_pair_db') as made")).toEqual([{ made: null }]);

  await connection.execute(
    'alter table sessions drop column sneaked; create index idx_fills_symbol on fills (symbol)',
  );
  const upTo = toSavedPlan(await planMigrations(connection, { upTo: '001' }));
  const { applied } = await applyMigrations(connection, { plan: upTo });
  expect(applied.map(({ tag }) => tag)).toEqual(tags.slice(0, 2));
  // It ends where the plan does, also where others have gone further.
  expect(await applyMigrations(connection, { plan: upTo })).toMatchObject({ applied: [] });
  await applyMigrations(connection, {});
  await expect(applyMigrations(connection, { plan: upTo })).rejects.toMatchObject({
    code: 'REFUSED',
    message: expect.stringContaining(
      `other files: ${tags[2]} has been applied since, and is not in the plan`,
    ),
  });
});

test.each([
  ['', /^p\.json is no JSON/],
  ['{}', /^p\.json is no plan of this release/],
  ['[]', /is no plan/],
  ['null', /is no plan/],
  [() => JSON.stringify({ ...saved, format: 'multi-pair-db plan 2' }), /is no plan/],
  [() => JSON.stringify({ ...saved, files: [{}] }), /is no plan/],
  [() => JSON.stringify({ ...saved, tables: [{ table: 'sessions' }] }), /is no plan/],
  [() => JSON.stringify({ ...saved, catalog: { a: 1 } }), /is no plan/],
  [() => JSON.stringify({ ...saved, makes: undefined }), /is no plan/],
  [() => JSON.stringify({ ...saved, database: null }), /is no plan/],
  [() => JSON.stringify({ ...saved, createdAtMs: 'today' }), /is no plan/],
])('what is no plan is refused: %s', (text, message) => {
  expect(() => parseSavedPlan(typeof text === 'string' ? text : text(), 'p.json')).toThrow(
    expect.objectContaining({ code: 'FILE_INVALID', exitCode: 4, message: expect.stringMatching(message) }),
  );
});
