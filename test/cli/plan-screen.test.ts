import { afterAll, beforeAll, expect, test } from 'vitest';
import { formatPlanScreen } from '../../src/cli/plan-screen.ts';
import { formatPlanSql } from '../../src/cli/plan-sql.ts';
import type { Connection } from '../../src/connection/connection.ts';
import { connectEmbedded } from '../../src/connection/open.ts';
import {
  type DescribedPlan,
  type PlanRehearsal,
  parseSavedPlan,
  planMigrations,
  summarizePlan,
  toSavedPlan,
} from '../../src/own/index.ts';
import { createFolder } from '../support/folder.ts';
import { readLegacySchema } from '../support/migrations.ts';
import { createPglite } from '../support/pglite.ts';

let connection: Connection;
beforeAll(async () => {
  connection = await connectEmbedded(await createPglite('empty'));
  await connection.execute('create table things (id integer primary key, name text)');
  await connection.execute(
    "insert into things select n, 'a thing' from generate_series(1, 100000) as n; analyze",
  );
});
afterAll(() => connection.close());

const none = { backup: undefined, folder: 'backups' };
const screen = (plan: DescribedPlan): string => formatPlanScreen(plan, summarizePlan(plan), none);

test('what rewrites a table, what waits for it, and what is not known stand on the screen', async () => {
  await using folder = await createFolder({
    '0000_wider': 'alter table things alter column id type bigint;',
    '0001_held':
      'alter table things add column size integer;--> statement-breakpoint\nupdate things set size = 1;',
    '0002_guess': "-- why\ndo $x$ begin execute 'drop table things'; end $x$;",
    '0003_index': 'create index concurrently on things (name);',
    '0004_note': "comment on table things is 'why'",
  });
  const plan = await planMigrations(connection, { project: folder });
  const { files, lock } = summarizePlan(plan);
  expect(files.map((file) => [file.tag, file.lock?.mode, file.lock?.isBrief, file.rewrites])).toEqual([
    ['0000_wider', 'ACCESS EXCLUSIVE', false, [{ table: 'things', rewrite: 'depends' }]],
    // Quick by itself, and held until the update has ended: they are one transaction.
    ['0001_held', 'ACCESS EXCLUSIVE', false, []],
    ['0002_guess', undefined, undefined, []],
    ['0003_index', 'SHARE UPDATE EXCLUSIVE', false, []],
    ['0004_note', 'SHARE UPDATE EXCLUSIVE', true, []],
  ]);
  expect(lock).toMatchObject({
    mode: 'ACCESS EXCLUSIVE',
    tables: ['things'],
    isCertain: true,
    isBrief: false,
  });
  const { diskBytes, estimatedMs } = plan;
  const size = plan.tables.find(({ table }) => table === 'things');
  expect(size?.rows).toBe(100_000);
  expect(diskBytes['0000_wider']).toBe(size?.totalBytes);
  expect(diskBytes['0001_held']).toBe(size?.heapBytes);
  expect(diskBytes['0003_index']).toBeGreaterThan(1_000_000);
  expect(diskBytes['0004_note']).toBe(0);
  expect(estimatedMs['0003_index']).toBeGreaterThan(estimatedMs['0004_note'] ?? Number.NaN);

  const text = screen(plan);
  expect(text.split('\n').filter((line) => line.length > 80)).toEqual([]);
  expect(text).toMatch(/^pglite, PostgreSQL 18\.\d+: 5 to apply\n/);
  expect(text).toMatch(
    / {2}0000_wider {2}about \d+ ms, .* of disk\n {4}lock {7}ACCESS EXCLUSIVE on things: everybody waits, for as long as it\n {15}works\n {4}rewrites {3}perhaps things\n/,
  );
  expect(text).toMatch(
    / {2}0002_guess {2}at least .*\n {4}lock {7}none that is known\n {4}not known {2}what \S+\/0002_guess\.sql does on line 2: read it\s+\(--sql\)\n/,
  );
  expect(text).toContain('tables       things: about 100,000 rows, ');
  expect(formatPlanSql(plan)).toContain(
    '-- line 1 · lock: ACCESS EXCLUSIVE on things, perhaps child tables of things',
  );
});

test('of our own files everything is known', async () => {
  await connection.execute(await readLegacySchema());
  const plan = await planMigrations(connection);
  expect(summarizePlan(plan).files.flatMap(({ notKnown }) => notKnown)).toEqual([]);
  expect(summarizePlan(plan).files.flatMap(({ rewrites }) => rewrites)).toEqual([]);
});

test('minutes are those of the rehearsal, in proportion to the rows, where it was of these files and about so many rows', async () => {
  await using folder = await createFolder({
    '0000_index': 'create index concurrently on things (name);',
    '0001_note': "comment on table things is 'why'",
  });
  const plan = await planMigrations(connection, { project: folder });
  const [index, note] = plan.migrations.map(({ tag, hash }) => ({ tag, hash, durationMs: 60_000 }));
  if (index === undefined || note === undefined) throw new Error('two files are pending');
  const rehearsal: PlanRehearsal = {
    endedAtMs: Date.UTC(2026, 10, 29),
    target: 'standby:5432/trading_rehearsal',
    files: [index, note],
    tables: [{ table: 'things', rows: 80_000 }],
  };
  const timesWith = (changes: Partial<PlanRehearsal>) =>
    summarizePlan(plan, { ...rehearsal, ...changes }).files.map(({ rehearsedMs }) => rehearsedMs);
  const saved = parseSavedPlan(JSON.stringify(toSavedPlan(plan, null, rehearsal)), 'plan.json');
  expect(saved.rehearsal).toEqual(rehearsal);
  expect(timesWith({})).toEqual([75_000, 75_000]);
  // So few rows more or less say nothing of the time.
  expect(timesWith({ tables: [{ table: 'things', rows: 99_000 }] })).toEqual([60_000, 60_000]);
  expect(timesWith({ tables: [{ table: 'things', rows: 79_999 }] })).toEqual([undefined, undefined]);
  expect(timesWith({ tables: [{ table: 'things', rows: null }] })).toEqual([undefined, undefined]);
  expect(timesWith({ files: [{ ...index, hash: 'another' }, note] })).toEqual([undefined, 75_000]);

  const show = (changes: Partial<PlanRehearsal>): string => {
    const given = { ...rehearsal, ...changes };
    return formatPlanScreen(plan, summarizePlan(plan, given), { ...none, rehearsal: given });
  };
  expect(show({})).toContain('  0000_index  1 min 15 s, as rehearsed, ');
  expect(show({})).toMatch(
    /time {9}2 min 30 s, as rehearsed on standby:5432\/trading_rehearsal,\s+2026-11-29 00:00:00 UTC/,
  );
  expect(show({ files: [note] })).toMatch(/time {9}about .*: an estimate[^:]*not every\s+file was rehearsed/);
  const broken = { ...saved, rehearsal: { ...rehearsal, files: [{ ...index, durationMs: '60' }] } };
  expect(() => parseSavedPlan(JSON.stringify(broken), 'plan.json')).toThrow('no plan of this release');
});
