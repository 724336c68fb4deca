import { describe, expect, test } from 'vitest';
import { splitStatements } from '../../../src/migrate/history/folder.ts';
import { findMode } from '../../../src/migrate/plan/plan.ts';
import {
  classifyStatement,
  controlsTransaction,
  readBlockLabel,
  readColumnNames,
  readConcurrentIndex,
  refusesTransaction,
} from '../../../src/migrate/plan/statements.ts';

describe('what a statement locks', () => {
  test.each([
    ['create index concurrently a on b (c)', 'SHARE UPDATE EXCLUSIVE', ['b']],
    [
      '-- why\ncreate unique index concurrently if not exists a on only s.b using gin (c);',
      'SHARE UPDATE EXCLUSIVE',
      ['s.b'],
    ],
    ['CREATE INDEX "a" ON "b" (c)', 'SHARE: writers wait', ['"b"']],
    ['drop index concurrently if exists a', 'SHARE UPDATE EXCLUSIVE', []],
    ['alter table b validate constraint c', 'SHARE UPDATE EXCLUSIVE', ['b']],
    ['alter table b add column c integer', 'ACCESS EXCLUSIVE for some', ['b']],
    ['ALTER TABLE "b" ALTER COLUMN "c" SET DATA TYPE text', 'ACCESS EXCLUSIVE: everybody waits', ['"b"']],
    ['alter table b add constraint c check (d > 0)', 'ACCESS EXCLUSIVE (SHARE ROW', ['b']],
    ['alter table b add constraint c check (d > 0) not valid', 'ACCESS EXCLUSIVE for some', ['b']],
    ['update b set c = 1', 'ROW EXCLUSIVE', ['b']],
    ['create table if not exists b (c text)', 'none on tables', ['b']],
    ['set lock_timeout = 0', 'none', []],
    ['do $x$ begin end $x$', 'not known', []],
  ])('%s', (sql, lock, tables) => {
    const facts = classifyStatement(sql);
    expect(facts.lock).toMatch(new RegExp(`^${lock.replace('(', '\\(')}`));
    expect(facts.tables).toEqual(tables);
  });
});

test.each([
  ['begin;', true],
  ['/* why */ COMMIT', true],
  ['do $b$ begin commit; end $b$', false],
  ['comment on table a is $$begin$$', false],
])('%s controls the transaction: %s', (sql, expected) => {
  expect(controlsTransaction(sql)).toBe(expected);
});

test.each([
  ['create index concurrently a on b (c)', true],
  ['create index a on b (c)', false],
  ['reindex (verbose) table concurrently b', true],
  ['vacuum b', true],
  ['alter table a detach partition b concurrently', true],
])('%s refuses a transaction: %s', (sql, expected) => {
  expect(refusesTransaction(sql)).toBe(expected);
});

test.each([
  [['create table a (b text)', 'insert into a values (1)'], 'transaction'],
  [['commit', 'create index concurrently a on b (c)', 'begin'], 'own'],
  [['create index concurrently a on b (c)'], 'outside'],
])('%j runs in mode %s', (statements, mode) => {
  expect(findMode(statements.map((sql) => ({ sql, line: 1 })))).toBe(mode);
});

test('statements are split as drizzle splits them, and know their lines', () => {
  const text =
    '-- head\n\nselect 1;\n--> statement-breakpoint\n\n-- why\nselect 2;--> statement-breakpoint\n \n';
  expect(splitStatements(text)).toEqual([
    { sql: '-- head\n\nselect 1;\n', line: 3 },
    { sql: '\n\n-- why\nselect 2;', line: 7 },
  ]);
});

test('a block is known by its label, an index by its name and columns', () => {
  expect(readBlockLabel('-- why\ndo $columns$\nbegin end $columns$')).toBe('columns');
  expect(readBlockLabel('select $columns$a$columns$')).toBeUndefined();
  expect(readConcurrentIndex('create index concurrently if not exists "A b" on c (d)')).toBe('"A b"');
  expect(readConcurrentIndex('create index a on c (d)')).toBeUndefined();
  expect(readColumnNames("create unique index concurrently a on t (coalesce(x, ''), y)")).toEqual({
    table: 't',
    words: ['coalesce', 'x', 'y'],
  });
});
