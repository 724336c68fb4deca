import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readMigrationFiles } from '../../src/migrate/history/folder.ts';
import { nameFolder } from '../../src/migrate/history/folder-name.ts';
import { migrationsSchema, migrationsTable } from '../../src/own/migrations.ts';
import { migrateV1 } from '../drizzle-1/migrate.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { nextTag } from '../support/facts.ts';
import { readLegacySchema } from '../support/migrations.ts';
import { checksumOfOldColumns, oddities } from '../support/oddities.ts';
import { isOnPath } from '../support/programs.ts';
import { copyProject, drizzleKitTimeoutMs, type ProjectCopy } from '../support/project-copy.ts';
import { serverVersions } from '../support/server.ts';

const name = 'index_of_a_test';
const tag = nextTag(name);
const index = 'idx_orders_of_a_test';

let copy: ProjectCopy;
beforeAll(async () => {
  copy = await copyProject();
  await copy.replace(
    'src/schema/orders.ts',
    "index('idx_orders_sessionid').on(t.sessionId),",
    `index('idx_orders_sessionid').on(t.sessionId),\n    index('${index}').on(t.exchange, t.timestamp),`,
  );
  expect(await copy.run('scripts/generate.ts', [name])).toMatchObject({ code: 0 });
}, drizzleKitTimeoutMs);
afterAll(() => copy[Symbol.asyncDispose]());

const cli = (url: string, ...args: string[]) => copy.run('src/cli/main.ts', [...args, '--url', url]);
const kit = (url: string) => copy.run('node_modules/drizzle-kit/bin.cjs', ['migrate'], { DATABASE_URL: url });

async function kitV1(url: string): Promise<{ code: number; output: string }> {
  const migrationsFolder = path.join(copy.folder, 'drizzle-v1');
  await migrateV1(url, { migrationsFolder, migrationsSchema, migrationsTable });
  return { code: 0, output: '' };
}

const files = async (): Promise<string[]> =>
  JSON.parse(await copy.read('drizzle/meta/_journal.json')).entries.map(
    (entry: { tag: string }) => entry.tag,
  );

/** File by file, as an operator would. psql writes no journal row, as it never did. */
async function psql(url: string): Promise<{ code: number; output: string }> {
  for (const name of await files()) {
    const file = path.join(copy.folder, 'drizzle', `${name}.sql`);
    const args = [url, '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', file];
    const { status, stderr } = spawnSync('psql', args, { encoding: 'utf8' });
    if (status !== 0) return { code: status ?? -1, output: stderr };
  }
  return { code: 0, output: '' };
}

test('one index comes to a file of at most 25 lines, an undo, and a line of the catalog', async () => {
  const file = await copy.read(`drizzle/${tag}.sql`);
  expect(file.trimEnd().split('\n').length).toBeLessThanOrEqual(25);
  for (const label of ['What', 'Locks', 'Runs', 'Undo']) expect(file).toContain(`-- ${label}:`);
  expect(await copy.read(`drizzle/down/${tag}.sql`)).toContain(`drop index concurrently if exists ${index};`);
  expect(JSON.parse(await copy.read('drizzle/catalog.json'))['orders']['index'][index]).toMatchObject({
    definition: 'btree (exchange, "timestamp")',
    migration: tag,
  });
  const [made] = (await readMigrationFiles(path.join(copy.folder, 'drizzle'))).slice(-1);
  if (made === undefined) throw new Error('no file was made');
  expect(made.createdAtMs % 1000).toBe(0);
  expect(await copy.read(`drizzle-v1/${nameFolder(made)}/migration.sql`)).toBe(file);
  expect((await copy.run('scripts/finish.ts', [])).output).toContain('Every file stands in the frame.');
});

describe.each(serverVersions)('PostgreSQL %i: a live database gets the new index', (version) => {
  const isValid = async (db: TestDatabase): Promise<boolean | undefined> => {
    const [row] =
      await db.sql`select indisvalid as valid from pg_index where indexrelid = to_regclass(${index})`;
    return row?.['valid'];
  };

  test.for(['engine', 'drizzle-kit', 'drizzle-kit 1.0', 'psql'] as const)(
    'by %s, is verified, and goes back',
    async (by, { skip }) => {
      if (by === 'psql' && !isOnPath('psql')) return skip('psql is not on the PATH');
      await using live = await createDatabase(version, 'legacy');
      await live.sql.unsafe(oddities);
      const before = await live.sql.unsafe(checksumOfOldColumns);
      const migrate = {
        engine: (url: string) => cli(url, 'migrate'),
        'drizzle-kit': kit,
        'drizzle-kit 1.0': kitV1,
        psql,
      }[by];

      expect(await migrate(live.url)).toMatchObject({ code: 0 });
      expect(await isValid(live)).toBe(true);
      if (by === 'psql') expect(await cli(live.url, 'migrate')).toMatchObject({ code: 0 });
      expect(await cli(live.url, 'verify')).toMatchObject({ code: 0 });

      expect(await cli(live.url, 'rollback', tag)).toMatchObject({ code: 0 });
      expect(await isValid(live)).toBe(undefined);
      expect((await cli(live.url, 'verify')).output).toContain(`index ${index}`);
      expect(await migrate(live.url)).toMatchObject({ code: 0 });
      expect(await isValid(live)).toBe(true);
      expect(await live.sql.unsafe(checksumOfOldColumns)).toEqual(before);
    },
  );

  test('one of the name that was built otherwise, or not to its end, is built anew', async () => {
    await using live = await createDatabase(version, 'legacy');
    await live.sql.unsafe(oddities);
    await live.sql.unsafe(`create index ${index} on orders (symbol)`);
    await live.sql.unsafe(`create index ${index}__broken on orders (id)`);
    expect(await kit(live.url)).toMatchObject({ code: 0 });
    expect(await cli(live.url, 'verify')).toMatchObject({ code: 0 });
  });
});

test('an embedded database gets it by drizzle-kit and by the engine, is verified, and goes back', {
  timeout: drizzleKitTimeoutMs,
}, async () => {
  const home = await mkdtemp(path.join(tmpdir(), 'multi-pair-db-generate-'));
  try {
    const directory = path.join(home, 'trading');
    const url = `pglite:${directory}`;
    const live = await PGlite.create(directory);
    await live.exec(await readLegacySchema());
    await live.exec(oddities);
    await live.close();
    expect(await kit(url)).toMatchObject({ code: 0 });
    expect(await cli(url, 'verify')).toMatchObject({ code: 0 });
    expect(await cli(url, 'rollback', tag)).toMatchObject({ code: 0 });
    expect(await cli(url, 'verify')).toMatchObject({ code: 1 });
    expect(await cli(url, 'migrate')).toMatchObject({ code: 0 });
    expect(await cli(url, 'verify')).toMatchObject({ code: 0 });
  } finally {
    await rm(home, { recursive: true, force: true });
  }
});
