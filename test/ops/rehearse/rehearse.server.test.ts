import { access, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { nameRehearsal, rehearsalMark } from '../../../src/ops/rehearse/rehearsal-database.ts';
import { rehearse } from '../../../src/ops/rehearse/rehearse.ts';
import { backUpInto } from '../../support/backups.ts';
import { findPrograms, needsPrograms } from '../../support/client-programs.ts';
import { runCommand } from '../../support/command.ts';
import { createDatabase, type TestDatabase } from '../../support/database.ts';
import { migrationFiles, tags } from '../../support/facts.ts';
import { checksumOfOldColumns, duplicateFill, oddities } from '../../support/oddities.ts';

const newest = 18;
const skip = findPrograms(newest) === undefined;
const why = needsPrograms(newest);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'multi-pair-db-rehearse-'));
});
afterEach(() => vi.unstubAllEnvs());
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A database, the legacy one with the oddities, and what a command of this test is told. */
async function createLive(state: 'legacy' | 'migrated' = 'legacy') {
  vi.stubEnv('PG_BIN', findPrograms(newest));
  const db = await createDatabase(newest, state);
  if (state === 'legacy') await db.sql.unsafe(oddities);
  await db.sql`analyze`;
  const at = (name: string): string => path.join(folder, db.name, name);
  return {
    db,
    at,
    places: ['--url', db.url, '--reports', at('reports')],
    isThere: async (): Promise<boolean> => (await findCopy(db)).length > 0,
    [Symbol.asyncDispose]: () => db[Symbol.asyncDispose](),
  };
}

const copyOf = ({ name }: TestDatabase): string => `${name}_rehearsal`;

const findCopy = (db: TestDatabase) =>
  db.sql`select shobj_description(oid, 'pg_database') as mark from pg_database where datname = ${copyOf(db)}`;

/** Everything that a rehearsal could have changed: rows, schemas, and what is in them. */
const lookAt = async (db: TestDatabase): Promise<unknown> => [
  ...(await db.sql.unsafe(checksumOfOldColumns)),
  ...(await db.sql`select nspname from pg_namespace where nspname !~ '^pg_' order by 1`),
  ...(await db.sql`select relname, relkind from pg_class where relnamespace = 'public'::regnamespace order by 1`),
];

test.skipIf(skip)(
  `PostgreSQL 18: there, back and there again on a copy that is gone afterwards; the live database is not touched, and its plan runs${why}`,
  async () => {
    await using live = await createLive();
    const { db, at, places } = live;
    const before = await lookAt(db);
    // What an earlier rehearsal has left goes.
    await db.sql.unsafe(`create database ${copyOf(db)}`);
    await db.sql.unsafe(`comment on database ${copyOf(db)} is '${rehearsalMark}'`);

    const done = await runCommand(['rehearse', '--dir', at('backups'), ...places]);
    expect(done, done.text).toMatchObject({ exitCode: 0 });
    expect(await lookAt(db)).toEqual(before);
    expect(await live.isThere()).toBe(false);

    const undone = migrationFiles.slice(1).map(({ tag }) => `rollback ${tag}`);
    expect(done.result).toMatchObject({
      passed: true,
      isKept: false,
      pending: tags,
      findings: [],
      restore: { complete: true },
      notes: [expect.stringContaining('on the server of the live database')],
      lock: { mode: 'ACCESS EXCLUSIVE' },
      steps: [
        'restore',
        'migrate',
        'analyze',
        'verify',
        ...undone.reverse(),
        'migrate again',
        'analyze again',
        'verify again',
      ].map((name) => ({ name })),
    });
    const steps: readonly { name: string; walBytes: number; sizeBytes: number; peakBytes: number }[] =
      Reflect.get(done.result, 'steps');
    for (const { sizeBytes, peakBytes } of steps) expect(peakBytes).toBeGreaterThanOrEqual(sizeBytes);
    expect(steps.find(({ name }) => name === 'migrate')?.walBytes).toBeGreaterThan(10_000);
    expect(done.text).toMatch(/\n {2}step +took +WAL +size +at most\n {2}restore +\d/);
    expect(done.text).toContain('_rehearsal is dropped');

    const reports = await readdir(at('reports'));
    const readReport = (ending: string): Promise<string> => {
      const name = reports.find((file) => file.startsWith('rehearse-') && file.endsWith(ending)) ?? '';
      return readFile(path.join(at('reports'), name), 'utf8');
    };
    const report = JSON.parse(await readReport('.json'));
    const names = ['backup', ...steps.map(({ name }) => name), 'drop'];
    expect(report.phases).toMatchObject(names.map((name) => ({ name, durationMs: expect.any(Number) })));
    for (const step of report.steps) expect(step).toMatchObject({ durationMs: expect.any(Number) });
    const builds = report.steps.filter((step: { statement: string }) =>
      step.statement.includes('idx_fills_unique_dedup on'),
    );
    expect(builds).toHaveLength(2);
    expect(report).not.toHaveProperty('tradeWaits');
    const page = await readReport('.html');
    for (const name of names) expect(page).toContain(`<b>${name}</b>`);
    const plan = path.join(at('reports'), reports.find((name) => name.startsWith('plan-')) ?? '');
    const shown = await runCommand(['migrate', '--dry-run', '--plan', plan, ...places]);
    expect(shown.text).toContain(`next: multi-pair-db migrate --plan ${plan}`);
    expect(shown.text).toMatch(/time {9}[\d.]+ m?s, as rehearsed on \S+_rehearsal,/);
    expect(await runCommand(['migrate', '--plan', plan, ...places])).toMatchObject({
      exitCode: 0,
      result: { applied: tags.map((tag) => ({ tag })) },
    });
  },
);

test.skipIf(skip)(
  `PostgreSQL 18: a database of that name that is not ours stays, and so does one that somebody is in; nothing is begun${why}`,
  async () => {
    await using live = await createLive();
    const { db, at, places } = live;
    const refused = () => expect(runCommand(['rehearse', '--dir', at('backups'), ...places])).rejects;
    await db.sql.unsafe(`create database ${copyOf(db)}`);
    try {
      await refused().toMatchObject({
        code: 'REFUSED',
        exitCode: 4,
        message: expect.stringContaining('is no rehearsal of this program'),
      });
      expect(await findCopy(db)).toEqual([{ mark: null }]);

      await db.sql.unsafe(`comment on database ${copyOf(db)} is '${rehearsalMark}'`);
      const inside = db.connect({ database: copyOf(db), max: 1 });
      await inside`select 1`;
      await refused().toMatchObject({ code: 'LOCKED', exitCode: 4 });
      expect(await findCopy(db)).toEqual([{ mark: rehearsalMark }]);
      await inside.end();
    } finally {
      await db.sql.unsafe(`drop database ${copyOf(db)} with (force)`);
    }
    await expect(access(at('backups'))).rejects.toThrow('ENOENT');
    expect(await readdir(at('reports'))).toEqual([]);
  },
);

test.skipIf(skip)(
  `PostgreSQL 18: a step that fails is named, and nothing is left of it, nor of one that is interrupted; --keep keeps it${why}`,
  async () => {
    await using live = await createLive();
    const { db, at, places } = live;
    await db.sql.unsafe(duplicateFill);
    const before = await lookAt(db);
    const file = await backUpInto(at('backups'), db, newest);
    // A server is named with any database of it.
    const on = db.url.replace(db.name, 'postgres');
    const words = ['rehearse', '--backup', file, '--on', on, ...places];
    await expect(runCommand(words)).rejects.toMatchObject({
      code: 'DUPLICATES',
      exitCode: 5,
      message: expect.stringMatching(/^in the rehearsal: migrate: .*fills/s),
      advice: expect.stringMatching(/_rehearsal is dropped\. \S+ itself was not changed\.$/),
    });
    expect(await live.isThere()).toBe(false);

    const stopping = new AbortController();
    const onPhase = (phase: string): void => {
      if (phase.startsWith('pg_restore')) stopping.abort();
    };
    await expect(rehearse(db.url, { backup: file, signal: stopping.signal, onPhase })).rejects.toMatchObject({
      code: 'INTERRUPTED',
      advice: expect.stringMatching(/^Run the same command again\. \S+_rehearsal is dropped\./),
    });
    expect(await live.isThere()).toBe(false);

    await expect(runCommand([...words, '--keep'])).rejects.toMatchObject({
      advice: expect.stringContaining('_rehearsal is kept.'),
    });
    expect(await findCopy(db)).toEqual([{ mark: rehearsalMark }]);
    await db.sql.unsafe(`drop database ${copyOf(db)}`);
    expect(await lookAt(db)).toEqual(before);
    // No plan stands for what has failed.
    expect((await readdir(at('reports'))).filter((name) => name.startsWith('plan-'))).toEqual([]);
  },
);

test.skipIf(skip)(
  `PostgreSQL 18: what a verification finds in the copy is said, and then there is no plan; with nothing pending nothing is rolled back${why}`,
  async () => {
    await using live = await createLive('migrated');
    const { db, at, places } = live;
    await db.sql`alter table orders add constraint theirs check (price > 0)`;
    const done = await runCommand(['rehearse', '--dir', at('backups'), ...places]);
    expect(done).toMatchObject({
      exitCode: 1,
      result: {
        passed: false,
        pending: [],
        steps: ['restore', 'migrate', 'analyze', 'verify'].map((name) => ({ name })),
        findings: [{ step: 'verify', level: 'fault', object: expect.stringContaining('theirs') }],
      },
    });
    expect(done.text).toMatch(/ {2}verify: constraint .*theirs.*\n {2}not verified\n/);
    expect(Reflect.get(done.result, 'planFile')).toBeUndefined();
    expect((await readdir(at('reports'))).filter((name) => name.startsWith('plan-'))).toEqual([]);
    expect(await live.isThere()).toBe(false);
  },
);

test('an embedded database, a name that is too long, and a place that is none are refused', async () => {
  await expect(runCommand(['rehearse', '--url', 'pglite:there'])).rejects.toMatchObject({
    code: 'USAGE',
    exitCode: 2,
  });
  await using live = await createLive();
  const { at, places } = live;
  await expect(runCommand(['rehearse', '--on', 'pglite:there', ...places])).rejects.toMatchObject({
    code: 'USAGE',
    message: expect.stringContaining('--on'),
  });
  await expect(runCommand(['rehearse', '--out', at('no/such/plan.json'), ...places])).rejects.toMatchObject({
    code: 'FILE_INVALID',
  });
  expect(await live.isThere()).toBe(false);
  expect(nameRehearsal('x'.repeat(53))).toHaveLength(63);
  expect(() => nameRehearsal('é'.repeat(27))).toThrow('is too long');
});
