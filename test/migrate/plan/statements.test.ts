import { beforeAll, describe, expect, test } from 'vitest';
import { splitStatements } from '../../../src/migrate/history/folder.ts';
import { readBlockLabel, readConcurrentIndex } from '../../../src/migrate/plan/head.ts';
import { loadParser } from '../../../src/migrate/plan/parse.ts';
import { findMode } from '../../../src/migrate/plan/planned-migration.ts';
import { loadReader, type ReadStatement } from '../../../src/migrate/plan/statements.ts';
import { corpus } from './corpus.ts';

let read: ReadStatement;
beforeAll(async () => {
  read = await loadReader();
});

describe('what a plan says of a statement, in words', () => {
  test.each([
    [
      'create index concurrently a on b (c)',
      'SHARE UPDATE EXCLUSIVE on b: reads and writes go on',
      'reads the table twice; waits for transactions that were open when it began',
    ],
    [
      'alter table b add column c integer',
      'ACCESS EXCLUSIVE on b, perhaps child tables of b: everybody waits, for some milliseconds',
      'catalog only',
    ],
    [
      'vacuum full s."B"',
      'ACCESS EXCLUSIVE on s."B", perhaps child tables of s."B": everybody waits, for as long as it works',
      'rewrites the table and its indexes',
    ],
    [
      'drop index a',
      'ACCESS EXCLUSIVE on the table of a: everybody waits, for some milliseconds',
      'catalog only',
    ],
    ['select * from b', 'ACCESS SHARE on b: as any reader', 'reads rows'],
    ['select oid from pg_class', 'none on tables', 'reads rows'],
    [
      'create table if not exists b (c int references e)',
      'perhaps SHARE ROW EXCLUSIVE on e: writers wait, for some milliseconds',
      'catalog only',
    ],
    ["create function f() returns int language sql as ''", 'none on tables', 'catalog only'],
    ['set lock_timeout = 0', 'none on tables', 'settings of this session only'],
    ['do $x$ begin end $x$', 'not known: read the statement', 'not known: read the statement'],
    [
      'lock table only b in share mode; call somebody()',
      'not known: read the statement; at least SHARE on b, perhaps tables that the query of b reads: writers wait, for as long as it works',
      'not known: read the statement',
    ],
    [
      'repack (concurrently) b',
      'not known: PostgreSQL 18 does not know this statement',
      'not known: PostgreSQL 18 does not know this statement',
    ],
    ['-- a comment alone', 'none on tables', 'nothing'],
  ])('%s', (sql, lock, work) => {
    expect(read(sql).facts).toMatchObject({ lock, work });
  });

  test('tables stand as SQL wants them, and what is not known names those that are', () => {
    expect(read('ALTER TABLE "b" RENAME TO "C"').facts.tables).toEqual(['b']);
    expect(read('update s."B c" set d = 1').facts.tables).toEqual(['s."B c"']);
    expect(read('analyze b; select f()').facts.tables).toEqual(['b']);
    expect(read('create table if not exists b (c text)').facts.tables).toEqual(['b']);
  });

  test('an index that is built is known by its table and columns, also those of expressions', () => {
    expect(
      read("create unique index concurrently a on s.t (coalesce(x, ''), y) include (z) where w").facts.builds,
    ).toEqual([{ table: 's.t', columns: ['x', 'y', 'z'] }]);
    expect(read('alter table t add constraint u unique (x, y)').facts.builds).toEqual([
      { table: 't', columns: ['x', 'y'] },
    ]);
  });

  test('a call of the frame is known, and one like it is not', () => {
    expect(read("call multi_pair_db.prove('x')").facts.lock).toBe('none on tables');
    expect(read("call multi_pair_db.prove('x'); drop table a").facts.lock).toMatch(/^not known/);
    expect(read("call multi_pair_db.unheard_of('x')").facts.lock).toMatch(/^not known/);
  });
});

describe('a block that takes its lock with lock_briefly', () => {
  const block = (body: string): string =>
    `do $x$ begin call multi_pair_db.lock_briefly('b'); ${body} end $x$`;
  const briefly =
    'SHARE UPDATE EXCLUSIVE, then ACCESS EXCLUSIVE for some milliseconds; waits 50 ms at most for the latter, then tries again';

  test.each([
    ['alter table b add column c integer;', briefly, 'no'],
    ['perform multi_pair_db.entered(); if true then drop table e; end if;', briefly, 'no'],
    [
      'alter table b alter column c type bigint;',
      expect.stringContaining('as long as the block works'),
      'depends',
    ],
    ['if 1 = 2 then truncate e; end if;', briefly, 'yes'],
    ["execute 'truncate e';", briefly, undefined],
    ['if unknown_to_us() then null; end if;', briefly, undefined],
    ['perform unknown_to_us();', briefly, undefined],
    ['this is no statement;', briefly, undefined],
  ])('%s', (body, lock, rewrite) => {
    const { facts } = read(block(body));
    expect(facts).toMatchObject({ lock, exclusive: ['b'] });
    expect(facts.rewrite).toBe(rewrite);
    expect(facts.work.includes('not known')).toBe(rewrite === undefined);
  });

  test('its other tables are locked as its statements lock them', () => {
    expect(read(block('update e set f = 1 where g;')).facts.locks).toContainEqual({
      name: 'e',
      on: 'itself',
      mode: 'ROW EXCLUSIVE',
    });
  });
});

test.each([
  ['begin;', 'transaction'],
  ['/* why */ COMMIT', 'no transaction'],
  ['commit and chain', 'transaction'],
  ['select 1; commit; begin', 'transaction'],
  ['savepoint a', undefined],
  ['rollback to a', undefined],
  ['do $b$ begin commit; end $b$', undefined],
  ['comment on table a is $$begin$$', undefined],
])('%s leaves %s', (sql, expected) => {
  expect(read(sql).leaves).toBe(expected);
});

test.each([
  ['create index concurrently a on b (c)', true],
  ['create index a on b (c)', false],
  ['create index "concurrently" on b (c)', false],
  ['reindex (verbose) table concurrently b', true],
  ['reindex (concurrently) table b', true],
  ['reindex table b', false],
  ['reindex schema s', true],
  ['cluster', true],
  ['cluster b', false],
  ['vacuum b', true],
  ['analyze b', false],
  ['alter table a detach partition b concurrently', true],
  ['alter table a detach partition b', false],
  ["alter system set work_mem = '1MB'", true],
  ["comment on table a is 'vacuum'", false],
])('%s refuses a transaction: %s', (sql, expected) => {
  expect(read(sql).refusesTransaction).toBe(expected);
});

test.each([
  [['create table a (b text)', 'insert into a values (1)'], 'transaction'],
  [['commit', 'create index concurrently a on b (c)', 'begin'], 'own'],
  [['create index concurrently a on b (c)'], 'outside'],
])('%j runs in mode %s', (statements, mode) => {
  expect(
    findMode(
      statements.map((sql) => ({ sql, line: 1 })),
      read,
    ),
  ).toBe(mode);
});

test('statements are split as drizzle splits them, and know their lines', () => {
  const text =
    '-- head\n\nselect 1;\n--> statement-breakpoint\n\n-- why\nselect 2;--> statement-breakpoint\n \n';
  expect(splitStatements(text)).toEqual([
    { sql: '-- head\n\nselect 1;\n', line: 3 },
    { sql: '\n\n-- why\nselect 2;', line: 7 },
  ]);
});

test.each([
  ['-- why\ndo $columns$\nbegin end $columns$', 'columns'],
  ['DO LANGUAGE plpgsql $a_1$begin end$a_1$', 'a_1'],
  ['do $$ begin end $$', undefined],
  ["do 'begin end'", undefined],
  ['select $columns$a$columns$', undefined],
  ['', undefined],
])('%j is the block %s', (sql, label) => {
  expect(readBlockLabel(sql)).toBe(label);
});

describe('the index that a statement builds CONCURRENTLY, which status reads without the parser', () => {
  test.each([
    ['create index concurrently if not exists "A b" on c (d)', '"A b"'],
    ['CREATE UNIQUE INDEX CONCURRENTLY Abc ON c (d)', 'abc'],
    ['/* a /* nested */ one */ create /**/ index\nconcurrently -- x\n"say ""no""" on c (d)', '"say ""no"""'],
    ['create index concurrently on c (d)', undefined],
    ['create index a on c (d)', undefined],
    ['/* create index concurrently a on b (c)', undefined],
    ['-- create index concurrently a on b (c)', undefined],
    ["comment on table a is 'create index concurrently b on c (d)'", undefined],
    ['', undefined],
  ])('%j', (sql, expected) => {
    expect(readConcurrentIndex(sql)).toBe(expected);
  });

  test('it is that of the parser, for each statement of the corpus', async () => {
    const { parse } = await loadParser();
    const found = corpus.flatMap(({ sql }) => {
      const [node, ...more] = parse(sql) ?? [];
      const isOne = node !== undefined && 'IndexStmt' in node && more.length === 0;
      const expected = isOne && node.IndexStmt.concurrent === true ? node.IndexStmt.idxname : undefined;
      expect(readConcurrentIndex(sql), sql).toBe(expected);
      return expected ?? [];
    });
    expect(found.length).toBeGreaterThan(0);
  });
});
