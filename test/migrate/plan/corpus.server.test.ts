import type postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { lockModes, strongest } from '../../../src/migrate/plan/locks.ts';
import { loadReader, type ReadStatement } from '../../../src/migrate/plan/statements.ts';
import type { StatementFacts } from '../../../src/migrate/project.ts';
import { createDatabase, type TestDatabase } from '../../support/database.ts';
import { serverVersions } from '../../support/server.ts';
import { until } from '../../support/waiting.ts';
import { type CorpusEntry, corpus, corpusSchema } from './corpus.ts';
import { readFiles, readTables, resolveLocks, type TablesOfCatalog } from './look.ts';

/** Strength of the strongest lock by table; 0 is none. */
type Seen = ReadonlyMap<string, number>;

const notKnown = 'not known';

/** What the plan says, in the words of the corpus. */
function summarize({ locks, rewrite }: StatementFacts): Pick<CorpusEntry, 'lock' | 'rewrite'> {
  const certain = locks?.filter(({ may }) => may !== true).map(({ mode }) => mode);
  return {
    lock: certain === undefined ? notKnown : (strongest(certain) ?? 'none'),
    rewrite: rewrite ?? notKnown,
  };
}

describe.each(serverVersions)('PostgreSQL %i', (version) => {
  let db: TestDatabase;
  let session: postgres.Sql;
  let pid: number;
  let read: ReadStatement;
  let tables: TablesOfCatalog;

  beforeAll(async () => {
    db = await createDatabase(version, 'empty');
    session = db.connect({ max: 1 });
    await session.unsafe(corpusSchema);
    const [self] = await session<{ pid: number }[]>`select pg_backend_pid() as pid`;
    pid = self?.pid ?? 0;
    tables = await readTables(session);
    read = await loadReader();
  });
  afterAll(() => db[Symbol.asyncDispose]());

  const entries = corpus.filter(({ since = 0 }) => since <= version);

  test.each(entries)('$sql', async (entry) => {
    const { facts } = read(entry.sql);
    expect(summarize(facts)).toEqual({ lock: entry.lock, rewrite: entry.rewrite });
    const files = await readFiles(session);
    const look = { db, session, pid, files };
    const { seen, isRewritten } =
      entry.alone === undefined
        ? await runInTransaction(look, entry.sql)
        : await runAlone(look, entry.sql, entry.alone);
    if (facts.rewrite === 'no') expect(isRewritten, 'it said that nothing is rewritten').toBe(false);
    if (facts.rewrite === 'yes') expect(isRewritten, 'it said that a table is rewritten').toBe(true);
    if (facts.locks === undefined) return;
    const said = resolveLocks(facts.locks, tables);
    // An index that was built anew has another oid.
    if (entry.alone !== undefined) tables = await readTables(session);
    for (const { name, oid } of tables.tables) {
      const { least, most } = said.get(oid) ?? { least: 0, most: 0 };
      const strength = seen.get(oid) ?? 0;
      const isRight = least <= strength && strength <= most;
      const mode = (number: number): string => lockModes[number - 1] ?? 'none';
      expect
        .soft(isRight, `${name}: ${mode(strength)}, and the plan says ${mode(least)} to ${mode(most)}`)
        .toBe(true);
    }
  });

  test('all statements of the corpus that this version knows were tried', () => {
    expect(entries.length).toBeGreaterThanOrEqual(60);
  });
});

/** The locks that a session has or asks for, by table. */
async function readLocks(sql: postgres.Sql, pid: number): Promise<Seen> {
  const rows = await sql<{ oid: string; mode: string }[]>`
    select relation::text as oid, mode from pg_locks
    where pid = ${pid} and locktype = 'relation'
      and database = (select oid from pg_database where datname = current_database())`;
  const seen = new Map<string, number>();
  for (const { oid, mode } of rows) {
    // RowExclusiveLock
    const words = mode
      .replace(/Lock$/, '')
      .replace(/(?<=[a-z])(?=[A-Z])/g, ' ')
      .toUpperCase();
    const number = lockModes.map(String).indexOf(words) + 1;
    if (number === 0) throw new Error(`${mode} is no mode that is known`);
    seen.set(oid, Math.max(number, seen.get(oid) ?? 0));
  }
  return seen;
}

interface Look {
  readonly db: TestDatabase;
  /** It runs the statements. */
  readonly session: postgres.Sql;
  readonly pid: number;
  readonly files: ReadonlyMap<string, string>;
}

interface Outcome {
  readonly seen: Seen;
  readonly isRewritten: boolean;
}

async function runInTransaction({ session, pid, files }: Look, statement: string): Promise<Outcome> {
  await session.unsafe('begin');
  try {
    await session.unsafe(statement);
    const seen = await readLocks(session, pid);
    return { seen, isRewritten: hasNewFile(files, await readFiles(session)) };
  } finally {
    await session.unsafe('rollback');
  }
}

/** What the statement waits for is what it asks for. */
async function runAlone(
  { db, session, pid, files }: Look,
  statement: string,
  { table, mode = 'share update exclusive', undo }: NonNullable<CorpusEntry['alone']>,
): Promise<Outcome> {
  const blocker = db.connect({ max: 1 });
  await blocker.unsafe(`begin; lock table ${table} in ${mode} mode`);
  const work = session.unsafe(statement).execute();
  await until(
    async () => (await db.sql`select from pg_locks where pid = ${pid} and not granted`).length > 0,
    `${statement} waits`,
  );
  const seen = await readLocks(db.sql, pid);
  await blocker.unsafe('rollback');
  await work;
  const isRewritten = hasNewFile(files, await readFiles(session));
  if (undo !== undefined) await session.unsafe(undo);
  return { seen, isRewritten };
}

const hasNewFile = (before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): boolean =>
  [...before].some(([oid, file]) => after.has(oid) && after.get(oid) !== file);
