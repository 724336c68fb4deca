import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Connection } from '../../../src/connection/connection.ts';
import { OperationError } from '../../../src/connection/errors.ts';
import { openConnection } from '../../../src/connection/open.ts';
import type { Finding } from '../../../src/migrate/catalog/compare.ts';
import { type VerifyOptions, verifyDatabase } from '../../../src/own/index.ts';
import { rowRules } from '../../../src/own/row-rules.ts';
import { damages } from '../../support/damage.ts';
import { createDatabase, type TestDatabase } from '../../support/database.ts';
import { expectedObjects, isLiveColumn, migrationOf, tags } from '../../support/facts.ts';
import { migrate } from '../../support/migrations.ts';
import { serverVersions } from '../../support/server.ts';
import { until } from '../../support/waiting.ts';

async function verify(db: TestDatabase, options?: VerifyOptions) {
  await using connection = await openConnection(db.url);
  return await verifyDatabase(connection, options);
}

/** Does what the report says, as an operator would: pastes the SQL, or runs the file. */
async function follow(db: TestDatabase, { repair }: Finding): Promise<void> {
  if (!/^(psql|alter|create|drop|comment|reindex) /.test(repair)) return;
  const file = /^psql .*\/(\d{4}_\w+)\.sql/.exec(repair)?.[1];
  const statements =
    file === undefined
      ? repair.split(' -- ')[0]?.split('; ')
      : migrationOf(file).statements.map(({ sql }) => sql);
  const session = db.connect({ max: 1 });
  for (const statement of statements ?? []) await session.unsafe(statement).simple();
  await session.unsafe('rollback');
  await session.end();
}

describe.each(serverVersions)('PostgreSQL %i', (version) => {
  test('a migrated database is verified, without a remark', async () => {
    await using db = await createDatabase(version, 'migrated');
    expect(await verify(db)).toMatchObject({ verified: true, findings: [], checkedRows: 0 });
  });

  describe('of one database, damaged in one way after another', () => {
    let db: TestDatabase;
    let connection: Connection;
    beforeAll(async () => {
      db = await createDatabase(version, 'migrated');
      connection = await openConnection(db.url);
    });
    afterAll(async () => {
      await connection.close();
      await db[Symbol.asyncDispose]();
    });

    test.each(damages)('finds $name, and what it says repairs it', async (damage) => {
      for (const statement of damage.by) await db.sql.unsafe(statement);

      const { verified, findings } = await verifyDatabase(connection);
      const { object, expected, found, level = 'fault' } = damage;
      expect(findings).toEqual([
        { level, object, expected, found, repair: expect.stringMatching(damage.repair) },
      ]);
      expect(verified).toBe(level === 'note');

      for (const finding of findings) await follow(db, finding);
      if (damage.undo !== undefined) await db.sql.unsafe(damage.undo);
      expect(await verifyDatabase(connection)).toMatchObject({ verified: true, findings: [] });
    });
  });

  test('names everything that a database lacks which nobody has migrated yet, and who brings it', async () => {
    await using db = await createDatabase(version, 'legacy');
    const { findings, applied, checkedRows } = await verify(db);
    expect(applied).toEqual([]);
    expect(checkedRows).toBeUndefined();
    const additions = expectedObjects.filter(({ migration }) => migration !== tags[0]);
    const missing = findings.filter(({ found }) => found === 'missing');
    for (const tag of tags.slice(1)) {
      const own = additions.filter((object) => object.migration === tag && !isLiveColumn(object));
      const command = `multi-pair-db migrate ${tag.slice(1, 4)}`;
      expect(missing.filter(({ repair }) => repair === command)).toHaveLength(own.length);
    }
    // Each journal row and each object, and the procedures as one.
    expect(findings).toHaveLength(tags.length + additions.length + 1);

    await migrate(db.url);
    expect(await verify(db)).toMatchObject({ verified: true, findings: [] });
  });

  test('an empty database lacks its tables; their columns are not told one by one', async () => {
    await using db = await createDatabase(version, 'empty');
    const { findings } = await verify(db);
    expect(findings.filter(({ found }) => found === 'missing').map(({ object }) => object)).toEqual([
      'table fills',
      'table orders',
      'table sessions',
      'procedures of multi_pair_db',
    ]);
  });

  test('an unlogged table is a fault: a crash would empty it', async () => {
    await using db = await createDatabase(version, 'migrated');
    await db.sql`alter table fills set unlogged`;
    const { findings } = await verify(db);
    expect(findings).toMatchObject([
      { level: 'fault', object: 'table fills', expected: 'table', found: 'unlogged table' },
    ]);
    for (const finding of findings) await follow(db, finding);
    expect(await verify(db)).toMatchObject({ verified: true, findings: [] });
  });

  test('an INVALID index, left by a build that failed, is a fault', async () => {
    await using db = await createDatabase(version, 'migrated');
    const { definition } = await readIndex(db, 'idx_fills_unique_dedup');
    await db.sql`drop index idx_fills_unique_dedup`;
    await db.sql`insert into fills (id, symbol, "timestamp", price, size)
      values ('a', 'A/B', 1, 1, 1), ('b', 'A/B', 1, 1, 1)`;
    await expect(db.sql.unsafe(definition.replace('INDEX', 'INDEX CONCURRENTLY'))).rejects.toMatchObject({
      code: '23505',
    });

    const { findings } = await verify(db);
    expect(findings).toMatchObject([
      {
        level: 'fault',
        object: 'index idx_fills_unique_dedup',
        expected: 'valid',
        found: 'INVALID',
        repair: 'reindex index concurrently idx_fills_unique_dedup',
      },
    ]);
    await db.sql`delete from fills where id = 'b'`;
    for (const finding of findings) await follow(db, finding);
    expect(await verify(db)).toMatchObject({ verified: true, findings: [] });
  });

  test('counts pairs that are no array of strings, and lists them for the operator', async () => {
    await using db = await createDatabase(version, 'migrated');
    const check = 'sessions_pairs_is_array_of_strings';
    await db.sql.unsafe(`alter table sessions drop constraint ${check}`);
    await db.sql`insert into sessions (id, pairs) values ('a', '["A/B"]'), ('b', '[1]'), ('c', '{}')`;
    const { findings } = await verify(db);
    const rule = findings.find(({ expected }) => expected === 'an array of strings');
    expect(rule).toMatchObject({
      object: 'rows of sessions.pairs',
      found: '2 of 3 sessions with something else',
    });
    const listed = await db.sql.unsafe(rule?.repair.split(' -- ')[0] ?? '');
    expect(listed.map((row) => row['id']).sort()).toEqual(['b', 'c']);
    expect(JSON.stringify(findings)).not.toContain('A/B');
  });

  test('a check that can not be made says so, and verifies nothing', async () => {
    await using db = await createDatabase(version, 'migrated');
    const unchecked = (reason: string) => ({
      verified: false,
      checkedRows: undefined,
      findings: [expect.objectContaining({ object: 'rows of sessions', found: `not checked: ${reason}` })],
    });

    const slow = {
      object: '',
      expected: '',
      broken: '',
      table: 'sessions',
      columns: [],
      migration: undefined,
    };
    const rules = [{ ...slow, condition: 'pg_sleep(10) is null' }];
    await db.sql`insert into sessions (id) values ('a')`;
    expect(await verify(db, { rules, timeLimitMs: 500 })).toMatchObject(
      unchecked('it took longer than 500 ms, and was cut short'),
    );

    const role = `limited_${db.name}`;
    await db.sql.unsafe(`create role ${role} login;
      grant usage on schema multi_pair_db to ${role}; grant select on multi_pair_db.migrations to ${role}`);
    try {
      const url = db.url.replace('postgres@', `${role}@`);
      await using connection = await openConnection(url);
      const ofSessions = { rules: rowRules.filter(({ table }) => table === 'sessions') };
      expect(await verifyDatabase(connection, ofSessions)).toMatchObject(
        unchecked('PostgreSQL said 42501: permission denied for table sessions'),
      );
      await db.sql.unsafe(
        `grant select on sessions to ${role}; alter table sessions enable row level security`,
      );
      expect(await verifyDatabase(connection, ofSessions)).toMatchObject(
        unchecked(
          'PostgreSQL said 42501: query would be affected by row-level security policy for table "sessions"',
        ),
      );
      await db.sql.unsafe(`revoke usage on schema multi_pair_db from ${role}`);
      await expect(verifyDatabase(connection)).rejects.toMatchObject({
        code: 'PRIVILEGE_MISSING',
        exitCode: 3,
      });
      await expect(verifyDatabase(connection)).rejects.toBeInstanceOf(OperationError);
    } finally {
      await db.sql.unsafe(`drop owned by ${role}; drop role ${role}`);
    }
  });

  test('interrupted, it cancels the statement on the server and says so', async () => {
    await using db = await createDatabase(version, 'migrated');
    await db.sql`insert into sessions (id) values ('a')`;
    const interrupt = new AbortController();
    const condition = 'pg_sleep(600) is null';
    const rules = [
      {
        object: '',
        expected: '',
        broken: '',
        table: 'sessions',
        columns: [],
        migration: undefined,
        condition,
      },
    ];
    const verified = verify(db, { rules, signal: interrupt.signal });
    verified.catch(() => {});
    const isSleeping = async () =>
      (
        await db.sql`select from pg_stat_activity where wait_event = 'PgSleep' and datname = current_database()`
      ).length > 0;
    await until(isSleeping, 'the rows are read');
    interrupt.abort();
    await expect(verified).rejects.toMatchObject({ code: 'INTERRUPTED', exitCode: 5 });
    expect(await isSleeping()).toBe(false);
  });

  test('a table that is locked against readers is not waited for', async () => {
    await using db = await createDatabase(version, 'migrated');
    const holder = db.connect({ max: 1 });
    await holder.unsafe('begin; lock table sessions in access exclusive mode');
    await expect(verify(db)).rejects.toMatchObject({ code: 'LOCKED', exitCode: 4 });
  });
});

async function readIndex(db: TestDatabase, name: string): Promise<{ definition: string }> {
  const [row] = await db.sql<{ definition: string }[]>`
    select pg_get_indexdef(to_regclass(${name})) as definition`;
  if (row === undefined) throw new Error(`no index ${name}`);
  return row;
}
