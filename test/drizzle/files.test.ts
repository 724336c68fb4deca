import { readFile } from 'node:fs/promises';
import { getTableConfig, PgDialect } from 'drizzle-orm/pg-core';
import { expect, test } from 'vitest';
import { fills, orders, sessions } from '../../src/schema/index.ts';
import { runProjectKit } from '../support/drizzle-kit.ts';
import { readLegacySchema } from '../support/migrations.ts';

const read = (file: string) => readFile(new URL(`../../drizzle/${file}`, import.meta.url), 'utf8');
const journal: { entries: { tag: string; when: number }[] } = JSON.parse(await read('meta/_journal.json'));

test('drizzle-kit finds nothing to generate, and is content with the journal', async () => {
  expect((await runProjectKit(['generate'])).output).toContain('No schema changes, nothing to migrate');
  expect(await runProjectKit(['check'])).toMatchObject({ code: 0 });
});

test.each(journal.entries)('$tag knows its own place in the journal', async ({ tag, when }) => {
  const file = await read(`${tag}.sql`);
  expect(file).toContain(`where created_at >= ${when}`);
  expect(file.match(/raise (exception|notice) '(?!\w+: )(?!this platform)/g)).toBeNull();
  expect(file.match(/'\d{4}_\w+: /g)?.every((prefix) => prefix === `'${tag}: `)).toBe(true);
});

test('0002 builds the indexes of the schema, and no others', async () => {
  const file = await read('0002_symbol_indexes.sql');
  const snapshot = JSON.parse(await read('meta/0001_snapshot.json'));
  const earlier = Object.values<{ indexes: object }>(snapshot.tables).flatMap((table) =>
    Object.keys(table.indexes),
  );
  const nine = [sessions, orders, fills]
    .flatMap((table) => getTableConfig(table).indexes.map((index) => index.config.name ?? ''))
    .filter((name) => !earlier.includes(name));
  const built = [...file.matchAll(/index concurrently if not exists (\w+)/g)].map((match) => match[1]);

  expect(nine).toHaveLength(9);
  expect(built.toSorted()).toEqual(nine.toSorted());
  for (const name of nine) {
    expect(file.split(`drop index concurrently if exists ${name}__broken;`)).toHaveLength(3);
    expect(file.split(`drop index concurrently if exists ${name}__set_aside;`)).toHaveLength(2);
  }
});

test('the rule of pairs is the same in the schema and in 0001', async () => {
  const [rule] = getTableConfig(sessions).checks;
  if (rule === undefined) throw new Error('sessions has no check');
  const { sql } = new PgDialect().sqlToQuery(rule.value);
  expect(await read('0001_multi_pair_support.sql')).toContain(`${rule.name} check (${sql}) not valid`);
});

test('the legacy schema is the one that was handed over', async ({ skip }) => {
  const handedOver = await readFile(
    new URL('../../../shared/legacy-schema.sql', import.meta.url),
    'utf8',
  ).catch(() => undefined);
  if (handedOver === undefined) return skip('../shared/legacy-schema.sql is not there to compare with');
  expect(await readLegacySchema()).toBe(handedOver);
});
