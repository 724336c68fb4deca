import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { hashFile } from '../../../src/ops/backup/backup-record.ts';
import { backUpInto } from '../../support/backups.ts';
import { findPrograms, needsPrograms } from '../../support/client-programs.ts';
import { runCommand } from '../../support/command.ts';
import { createDatabase, type TestDatabase } from '../../support/database.ts';
import { migrate } from '../../support/migrations.ts';

const newest = 18;
const programs = findPrograms(newest);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'multi-pair-db-pause-'));
});
afterEach(() => vi.unstubAllEnvs());
afterAll(() => rm(folder, { recursive: true, force: true }));

const pause = (db: TestDatabase, by: string, reason: string | null = null) =>
  db.sql`insert into multi_pair_db.pause (paused_by, reason) values (${by}, ${reason})`;

const pausesOf = (db: TestDatabase): Promise<readonly unknown[]> => db.sql`select * from multi_pair_db.pause`;

/** As `backup` makes it, but for its file: that is pg_dump's, and holds the row of the pause. */
async function dumpByHand(db: TestDatabase): Promise<string> {
  const file = await backUpInto(folder, db, newest);
  const url = new URL(db.url);
  await promisify(execFile)(path.join(programs ?? '', 'pg_dump'), ['-Fc', `--file=${file}`, url.href]);
  const record: object = JSON.parse(await readFile(`${file}.json`, 'utf8'));
  const rows = { ...Reflect.get(record, 'rows'), 'multi_pair_db.pause': 1 };
  const facts = { sizeBytes: (await stat(file)).size, sha256: await hashFile(file), rows };
  await writeFile(`${file}.json`, JSON.stringify({ ...record, ...facts }));
  return file;
}

const restore = (file: string, db: TestDatabase) =>
  runCommand(['restore', file, '--confirm', db.name, '--disconnect', '--no-safety-backup', '--url', db.url]);

test.skipIf(programs === undefined)(
  `a pause in a dump that was made by hand is not restored; the one that stands goes on to stand${needsPrograms(newest)}`,
  async () => {
    await using db = await createDatabase(newest, 'migrated');
    await using empty = await createDatabase(newest, 'empty');
    await db.sql`insert into sessions (id, symbol) values ('one', 'BTC/USD')`;
    await pause(db, 'alice@ops', 'the market opens');
    const file = await dumpByHand(db);

    const made = await runCommand(['restore', file, '--into', empty.name, '--url', empty.url]);
    expect(made, made.text).toMatchObject({
      exitCode: 0,
      result: { complete: true, droppedPause: { by: 'alice@ops', reason: 'the market opens' } },
    });
    expect(made.result).not.toHaveProperty('keptPause');
    expect(made.text).toMatch(
      /the pause that the backup held is of its moment, and not restored: paused by alice@ops since .* UTC: the market opens/,
    );
    expect(await pausesOf(empty)).toEqual([]);
    expect(await empty.sql`select id from sessions`).toEqual([{ id: 'one' }]);

    // The very pause that the dump has: it stands, and there is nothing to say of the other.
    const before = await pausesOf(db);
    const same = await restore(file, db);
    expect(same, same.text).toMatchObject({ exitCode: 0, result: { keptPause: { by: 'alice@ops' } } });
    expect(same.result).not.toHaveProperty('droppedPause');
    expect(await pausesOf(db)).toEqual(before);

    const hostile = `it's :x \\ \n "$1"; drop table fills; --`;
    await db.sql`delete from multi_pair_db.pause`;
    await pause(db, hostile, hostile);
    const standing = await pausesOf(db);
    const done = await restore(file, db);
    expect(done, done.text).toMatchObject({
      exitCode: 0,
      result: { droppedPause: { by: 'alice@ops' }, keptPause: { by: hostile, reason: hostile } },
    });
    expect(done.text).toContain(`runs stay paused by ${hostile} since `);
    expect(await pausesOf(db)).toEqual(standing);
  },
);

test.skipIf(programs === undefined)(
  `a state that is older than the table of the pause has no place for it, and that is said${needsPrograms(newest)}`,
  async () => {
    await using db = await createDatabase(newest, 'legacy');
    const file = await backUpInto(folder, db, newest);
    await migrate(db.url);
    await pause(db, 'alice@ops');
    const done = await restore(file, db);
    expect(done, done.text).toMatchObject({ exitCode: 0, result: { lostPause: { by: 'alice@ops' } } });
    expect(done.text).toMatch(/runs were paused by alice@ops since .* UTC\. They are not any more/);
    expect(await db.sql`select to_regnamespace('multi_pair_db') as frame`).toEqual([{ frame: null }]);
  },
);
