import { rm } from 'node:fs/promises';
import { drizzle } from 'drizzle-orm/postgres-js';
import { migrate as migrateFolder } from 'drizzle-orm/postgres-js/migrator';
import { describe, expect, test } from 'vitest';
import { openConnection } from '../../../src/connection/open.ts';
import { applyMigrations, planMigrations } from '../../../src/own/index.ts';
import { createDatabase, type TestDatabase } from '../../support/database.ts';
import { createFolder } from '../../support/folder.ts';

const plain = {
  '0000_things':
    'create table things (id integer primary key, name text);--> statement-breakpoint\ncreate index on things (name);',
  '0001_rows': "insert into things values (1, 'one'), (2, 'two');",
};
const online = {
  ...plain,
  '0002_online': `-- built while the services write
create index concurrently if not exists things_name_id on things (name, id);
--> statement-breakpoint
create unique index concurrently if not exists things_name on things (name);`,
};

async function apply(
  db: TestDatabase,
  project: { folder: string },
  upTo?: string,
): Promise<readonly string[]> {
  await using connection = await openConnection(db.url);
  const report = await applyMigrations(connection, { project, ...(upTo === undefined ? {} : { upTo }) });
  return report.applied.map((migration) => migration.tag);
}

const version = 18;

describe('a folder of somebody else', () => {
  test('plain files: half by the engine, half by stock drizzle, in either order', async () => {
    await using folder = await createFolder(plain);
    await using engineFirst = await createDatabase(version, 'empty');
    await using stockFirst = await createDatabase(version, 'empty');
    const stock = (db: TestDatabase, migrationsFolder: string) =>
      migrateFolder(drizzle(db.connect({ max: 1 })), { migrationsFolder });

    expect(await apply(engineFirst, folder, '0000')).toEqual(['0000_things']);
    await stock(engineFirst, folder.folder);
    await using half = await createFolder({ '0000_things': plain['0000_things'] });
    await stock(stockFirst, half.folder);
    expect(await apply(stockFirst, folder)).toEqual(['0001_rows']);

    const read = (db: TestDatabase) => db.sql`
      select (select count(*)::int from things) as things,
             (select array_agg(hash || created_at order by id) from drizzle.__drizzle_migrations) as journal`;
    expect(await read(stockFirst)).toEqual(await read(engineFirst));
    expect(await apply(engineFirst, folder)).toEqual([]);
  });

  test('a plain file that fails leaves nothing behind, and is not recorded', async () => {
    await using db = await createDatabase(version, 'empty');
    await using folder = await createFolder({
      ...plain,
      '0002_fails':
        'alter table things add column size integer;--> statement-breakpoint\nupdate things set size = name::integer;',
    });
    await expect(apply(db, folder)).rejects.toMatchObject({
      code: 'STATEMENT_FAILED',
      sqlState: '22P02',
      file: 'drizzle/0002_fails.sql',
      line: 2,
      statement: 'update things set size = name::integer;',
      // The value that could not be read belongs to a row.
      message: 'invalid input syntax for type integer: "…"',
      advice: expect.stringContaining(
        '0002_fails was rolled back: nothing of it is left. Applied in this run: 0000_things, 0001_rows',
      ),
    });
    expect(await db.sql`select created_at::int from drizzle.__drizzle_migrations`).toEqual([
      { created_at: 1000 },
      { created_at: 2000 },
    ]);
    expect(
      await db.sql`select from pg_attribute where attrelid = 'things'::regclass and attname = 'size'`,
    ).toHaveLength(0);
  });

  test('indexes built CONCURRENTLY, which stock drizzle can’t; an INVALID one is built again', async () => {
    await using db = await createDatabase(version, 'empty');
    await using folder = await createFolder(online);
    await apply(db, folder, '1');
    await db.sql`insert into things values (3, 'one')`;

    await expect(apply(db, folder)).rejects.toMatchObject({ code: 'DUPLICATES', line: 4, sqlState: '23505' });
    // INVALID, a unique index would go on to refuse rows: the engine takes it away. What stock tools leave stays.
    expect(await db.sql`select from pg_index where not indisvalid`).toHaveLength(0);
    await expect(
      db.sql.unsafe('create unique index concurrently things_name on things (name)'),
    ).rejects.toThrow();
    expect(await db.sql`select from pg_index where not indisvalid`).toHaveLength(1);
    await db.sql`delete from things where id = 3`;
    expect(await apply(db, folder)).toEqual(['0002_online']);
    expect(await db.sql`select from pg_index where not indisvalid`).toHaveLength(0);
    expect(
      await db.sql`select from pg_class where relname in ('things_name', 'things_name_id')`,
    ).toHaveLength(2);
  });

  test('a file that came late, one that is missing, and a folder that is none', async () => {
    await using db = await createDatabase(version, 'empty');
    await using folder = await createFolder(plain);
    await apply(db, folder);

    await folder.write({ ...plain, '0002_late': 'select 1;' }, [1000, 2000, 1500]);
    await expect(apply(db, folder)).rejects.toMatchObject({
      code: 'HISTORY',
      message: expect.stringContaining(
        '0002_late is stamped older than 0001_rows, which stands before it and is applied',
      ),
    });
    await folder.write(
      { '0000_things': plain['0000_things'], '0000_late': 'select 1;', '0001_rows': plain['0001_rows'] },
      [1000, 1500, 2000],
    );
    await expect(apply(db, folder)).rejects.toMatchObject({
      code: 'HISTORY',
      message: expect.stringContaining('0000_late is not recorded as applied, but 0001_rows after it is'),
    });
    await folder.write(online);
    await rm(`${folder.folder}/0002_online.sql`);
    await expect(apply(db, folder)).rejects.toMatchObject({
      code: 'FILE_INVALID',
      exitCode: 4,
      message: expect.stringContaining('0002_online.sql can’t be read'),
    });
    await folder.write({});
    await expect(apply(db, folder)).rejects.toMatchObject({
      code: 'HISTORY',
      message: expect.stringContaining('belongs to no file of this folder'),
    });
    await expect(apply(db, { folder: `${folder.folder}/nowhere` })).rejects.toMatchObject({
      code: 'FILE_INVALID',
      exitCode: 4,
    });
  });

  test('a dry run prints what is run, word for word, and writes nothing', async () => {
    await using db = await createDatabase(version, 'legacy');
    await db.sql`insert into sessions (id, symbol) select n::text, 'BTC/USD' from generate_series(1, 2000) as n`;
    await db.sql`analyze`;
    await using connection = await openConnection(db.url);
    const plan = await planMigrations(connection);
    expect(plan.tables).toContainEqual(expect.objectContaining({ table: 'sessions', rows: 2000 }));
    expect(plan.diskBytes['0001_multi_pair_support']).toBeGreaterThan(0);
    expect(plan.limits).toMatchObject({ statement_timeout: '0', lock_timeout: '0' });
    expect(
      plan.migrations.flatMap(({ steps }) => steps).filter(({ facts }) => facts.lock.startsWith('not known')),
    ).toEqual([]);
    expect(await db.sql`select to_regnamespace('multi_pair_db') as journal`).toEqual([{ journal: null }]);

    const sent: string[] = [];
    await using spied = await openConnection(db.url);
    const execute = spied.execute.bind(spied);
    spied.execute = (sql, source) => {
      sent.push(sql);
      return execute(sql, source);
    };
    await applyMigrations(spied);
    const planned = plan.migrations.flatMap(({ steps }) => steps.map((step) => step.sql));
    expect(sent.filter((sql) => planned.includes(sql))).toEqual(planned);
    const unplanned = sent.filter((sql) => !planned.includes(sql));
    expect(unplanned).toEqual([
      'create schema if not exists multi_pair_db',
      'create table if not exists multi_pair_db.migrations (id serial primary key, hash text not null, created_at bigint)',
      'rollback',
    ]);
  });
});
