import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { draftFile, RefusedError } from '../../scripts/migration/draft.ts';
import { openScratch, type Scratch } from '../../scripts/migration/scratch.ts';
import { toPlainSql } from '../../scripts/migration/sql-text.ts';
import { splitStatements } from '../../src/migrate/history/folder.ts';
import { migrationOf, nextTag, tagsUpTo } from '../support/facts.ts';

let scratch: Scratch;
beforeAll(async () => {
  // What the drafts change is as the historic files left it, whatever later ones have done to it.
  scratch = await openScratch(tagsUpTo('002').map(migrationOf));
});
afterAll(() => scratch[Symbol.asyncDispose]());

const draft = (sql: string) => {
  const tag = nextTag('x');
  const file = { tag, file: `drizzle/${tag}.sql`, createdAtMs: 1, hash: '' };
  return draftFile({ ...file, statements: splitStatements(sql) }, scratch);
};

describe('what is not safe on a live table is refused, with the safe way', () => {
  test.each([
    [
      'a default that is not constant',
      'ALTER TABLE "orders" ADD COLUMN "uid" text DEFAULT gen_random_uuid()::text;',
      /adding-field-with-default|rewrites the whole table/,
    ],
    [
      'another one, which is volatile in a function',
      'ALTER TABLE "orders" ADD COLUMN "seen" timestamp with time zone DEFAULT clock_timestamp();',
      /adding-field-with-default|rewrites the whole table/,
    ],
    [
      'SET NOT NULL',
      'ALTER TABLE "orders" ALTER COLUMN "side" SET NOT NULL;',
      /NOT VALID and then validated/,
    ],
    [
      'a type change',
      'ALTER TABLE "orders" ALTER COLUMN "price" SET DATA TYPE numeric;',
      /add a column of the new type/,
    ],
    [
      'a required column',
      'ALTER TABLE "orders" ADD COLUMN "venue" text NOT NULL;',
      /Give it a constant default/,
    ],
    ['UNIQUE', 'ALTER TABLE "orders" ADD CONSTRAINT "uq" UNIQUE("clientorderid");', /uniqueIndex\(name\)/],
    ['a column dropped', 'ALTER TABLE "orders" DROP COLUMN "side";', /puts aside what goes/],
    ['a table dropped', 'DROP TABLE "fills";', /puts aside what goes/],
    [
      'a column renamed',
      'ALTER TABLE "orders" RENAME COLUMN "side" TO "direction";',
      /Services that run know the old name/,
    ],
    [
      'a generated column',
      'ALTER TABLE "orders" ADD COLUMN "twice" real GENERATED ALWAYS AS (size * 2) STORED;',
      /by hand/,
    ],
    ['what nobody knows', 'ALTER TABLE "orders" SET UNLOGGED;', /Write the file by hand/],
    ['what nobody knows, again', 'VACUUM FULL "orders";', /Write the file by hand/],
  ])('%s', async (_, sql, safeWay) => {
    const error = await draft(sql).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(RefusedError);
    expect(String(error)).toMatch(safeWay);
    expect(String(error)).toContain(sql);
  });
});

test('a column, a default, a check, an index of an existing table and a new table come to the frame', async () => {
  const statements = [
    'CREATE TABLE "venues" ("id" text PRIMARY KEY NOT NULL, "order_id" text);',
    'ALTER TABLE "orders" ADD COLUMN "Venue Region" text DEFAULT \'EU\';',
    'ALTER TABLE "orders" ALTER COLUMN "purpose" SET DEFAULT \'x\';',
    'ALTER TABLE "venues" ADD CONSTRAINT "fk" FOREIGN KEY ("order_id") REFERENCES "public"."orders"("id");',
    'ALTER TABLE "orders" ADD CONSTRAINT "chk" CHECK ("orders"."size" >= 0);',
    'CREATE INDEX "idx_new" ON "orders" USING btree ("exchange" DESC NULLS LAST);',
    'CREATE INDEX "idx_venues" ON "venues" USING btree ("order_id");',
  ];
  expect(await draft(statements.join('--> statement-breakpoint\n'))).toMatchObject({
    indexes: [{ index: 'idx_new', table: 'orders', definition: 'btree (exchange DESC NULLS LAST)' }],
    columns: [{ table: 'orders', column: 'Venue Region', type: 'text' }],
    newTables: ['venues'],
    lockedTables: ['orders'],
    block: expect.arrayContaining([
      'create table if not exists venues (id text primary key not null, order_id text)',
      `alter table orders add column if not exists "Venue Region" text default 'EU'`,
      'alter table orders add constraint chk check (orders.size >= 0) not valid',
      'create index if not exists idx_venues on venues using btree (order_id)',
    ]),
    unvalidated: [{ table: 'orders', constraint: 'chk' }],
    undoBlock: expect.arrayContaining([
      'alter table orders drop column if exists "Venue Region"',
      'alter table orders alter column purpose drop default',
      'drop table if exists venues',
    ]),
  });
});

test.each([
  ['SELECT "a" FROM "b";', 'select a from b'],
  [
    `ALTER TABLE "T" ADD "Order" text DEFAULT 'It''s "A"';`,
    `alter table "T" add "Order" text default 'It''s "A"'`,
  ],
  ['ALTER TABLE "order" ADD "user" text;', 'alter table "order" add "user" text'],
])('%s is written as %s', (sql, plain) => {
  expect(toPlainSql(sql)).toBe(plain);
});
