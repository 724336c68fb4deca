import { cp, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { getTableConfig, PgDialect } from 'drizzle-orm/pg-core';
import { expect, test } from 'vitest';
import { nameFolder } from '../../src/migrate/history/folder-name.ts';
import { migrationsFolderV1 } from '../../src/own/migrations.ts';
import { readOwnTables } from '../../src/own/tables.ts';
import { sessions } from '../../src/schema/index.ts';
import { runKit, runProjectKit } from '../support/drizzle-kit.ts';
import { liveColumns, migrationFiles } from '../support/facts.ts';
import { readLegacySchema } from '../support/migrations.ts';

const read = (file: string) => readFile(new URL(`../../drizzle/${file}`, import.meta.url), 'utf8');
const journal: { entries: { tag: string; when: number }[] } = JSON.parse(await read('meta/_journal.json'));

interface Snapshot {
  readonly tables: Readonly<
    Record<string, { readonly name: string; readonly columns: object; readonly indexes: object }>
  >;
}
/** The tables of the schema as they were when a file was generated. */
const readTables = async (number: string) => {
  const snapshot: Snapshot = JSON.parse(await read(`meta/${number}_snapshot.json`));
  return Object.values(snapshot.tables);
};
const readIndexNames = async (number: string): Promise<string[]> =>
  (await readTables(number)).flatMap((table) => Object.keys(table.indexes));

test('drizzle-kit finds nothing to generate, and is content with the journal', async () => {
  expect((await runProjectKit(['generate'])).output).toContain('No schema changes, nothing to migrate');
  expect(await runProjectKit(['check'])).toMatchObject({ code: 0 });
});

test('drizzle-kit 1.0 finds nothing to generate from the tables, and is content with its layout', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'multi-pair-db-v1-'));
  try {
    await symlink(
      fileURLToPath(new URL('../drizzle-1/node_modules', import.meta.url)),
      path.join(folder, 'node_modules'),
    );
    await cp(new URL('../../src/schema', import.meta.url), path.join(folder, 'schema'), { recursive: true });
    await cp(migrationsFolderV1, path.join(folder, 'drizzle'), { recursive: true });
    const tables = (await readOwnTables()).map((table) => `./schema/${table}.ts`);
    await writeFile(
      path.join(folder, 'drizzle.config.ts'),
      `export default { dialect: 'postgresql', schema: ${JSON.stringify(tables)} };`,
    );
    expect((await runKit(folder, ['generate'], {})).output).toContain(
      'No schema changes, nothing to migrate',
    );
    expect(await runKit(folder, ['check'], {})).toMatchObject({ code: 0 });
    expect(await readdir(path.join(folder, 'drizzle'))).toEqual(migrationFiles.map(nameFolder));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test.each(migrationFiles)(
  '$tag is stamped to the second, and stands in the layout of 1.0 as well',
  async (file) => {
    expect(file.createdAtMs % 1000).toBe(0);
    const copy = path.join(migrationsFolderV1, nameFolder(file), 'migration.sql');
    expect(await readFile(copy, 'utf8')).toBe(await read(`${file.tag}.sql`));
  },
);

test.each(journal.entries)(
  '$tag begins, proves and ends under its own name, and its undo knows its journal row',
  async ({ tag, when }) => {
    const file = await read(`${tag}.sql`);
    expect(file.match(/'\d{4}_\w+: /g)?.every((prefix) => prefix === `'${tag}: `) ?? true).toBe(true);
    if (tag === '0000_baseline') return;
    expect(file).toContain(`call multi_pair_db.enter('${tag}');`);
    expect(file).toContain(`call multi_pair_db.prove('${tag}');`);
    const down = await read(`down/${tag}.sql`);
    expect(down).toContain(`call multi_pair_db.enter('down/${tag}');`);
    expect(down).toContain(`call multi_pair_db.forget('${tag}', ${when});`);
  },
);

test('0002 expects and builds the indexes that the schema gained by it, and its undo drops them', async () => {
  const file = await read('0002_symbol_indexes.sql');
  const down = await read('down/0002_symbol_indexes.sql');
  const [earlier, gainedBy] = await Promise.all(['0001', '0002'].map(readIndexNames));
  const gained = gainedBy?.filter((name) => !earlier?.includes(name)).toSorted();
  const all = (text: string, pattern: RegExp) =>
    [...text.matchAll(pattern)].map(([, name]) => name).toSorted();

  expect(all(file, /expect_index\('(\w+)'/g)).toEqual(gained);
  expect(all(file, /index concurrently if not exists (\w+) on/g)).toEqual(gained);
  for (const suffix of ['__broken', '__set_aside']) {
    expect(all(file, new RegExp(`drop index concurrently if exists (\\w+)${suffix};`, 'g'))).toEqual(gained);
  }
  for (const suffix of ['', '__broken', '__set_aside']) {
    expect(
      all(down, new RegExp(`drop index concurrently if exists ((?:(?!__)\\w)+)${suffix};`, 'g')),
    ).toEqual(gained);
  }
  expect(file.split('\n').length).toBeLessThan(110);
});

test('the rule of pairs is the same in the schema and in 0001', async () => {
  const [rule] = getTableConfig(sessions).checks;
  if (rule === undefined) throw new Error('sessions has no check');
  const { sql } = new PgDialect().sqlToQuery(rule.value);
  expect(await read('0001_multi_pair_support.sql')).toContain(`${rule.name} check (${sql}) not valid`);
});

test('the columns of the live SQL are those that 0000 was generated from', async () => {
  const columns = (await readTables('0000')).map((table) => [table.name, Object.keys(table.columns)]);
  expect(Object.fromEntries(columns)).toEqual(liveColumns);
});

test('the legacy schema is the one that was handed over', async ({ skip }) => {
  const handedOver = await readFile(
    new URL('../../../shared/legacy-schema.sql', import.meta.url),
    'utf8',
  ).catch(() => undefined);
  if (handedOver === undefined) return skip('../shared/legacy-schema.sql is not there to compare with');
  expect(await readLegacySchema()).toBe(handedOver);
});
