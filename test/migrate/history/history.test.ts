import { describe, expect, test } from 'vitest';
import { OperationError } from '../../../src/connection/errors.ts';
import type { MigrationFile } from '../../../src/migrate/history/folder.ts';
import { compareHistory, refuseFaults, resolveMigration } from '../../../src/migrate/history/history.ts';
import { defaultJournal, type JournalRow } from '../../../src/migrate/history/journal.ts';

const file = (tag: string, createdAtMs: number): MigrationFile => ({
  tag,
  file: `drizzle/${tag}.sql`,
  createdAtMs,
  hash: `hash of ${tag}`,
  statements: [],
});
const files = [file('0000_a', 1), file('0001_b', 2), file('0002_c', 3)];
const row = (
  id: number,
  createdAtMs: number | null,
  hash = `hash of ${files[(createdAtMs ?? 0) - 1]?.tag}`,
) => ({
  id,
  hash,
  createdAtMs,
  journal: 'drizzle.__drizzle_migrations',
});

describe('a history without faults', () => {
  test.each([
    [[], [], ['0000_a', '0001_b', '0002_c']],
    [[row(1, 1)], ['0000_a'], ['0001_b', '0002_c']],
    [[row(7, 1), row(9, 2), row(10, 3)], ['0000_a', '0001_b', '0002_c'], []],
  ])('%#', (rows, applied, pending) => {
    const history = compareHistory(files, rows, defaultJournal);
    expect(history.faults).toEqual([]);
    expect(history.applied.map(({ tag }) => tag)).toEqual(applied);
    expect(history.pending.map(({ tag }) => tag)).toEqual(pending);
    expect(() => refuseFaults(history)).not.toThrow();
  });
});

describe('a history with a fault is refused, with what to do', () => {
  test.each([
    ['edited', files, [row(1, 1, 'other')], 'Restore the file as it was applied'],
    ['unknown', files, [row(1, 1), row(2, 99)], 'Check that this is the right database'],
    ['unknown', files, [row(1, null)], 'Check that this is the right database'],
    ['duplicate', files, [row(1, 1), row(2, 1)], 'where id in (2)'],
    ['gap', files, [row(1, 1), row(3, 3)], "values ('hash of 0001_b', 2)"],
    [
      'older',
      [...files, file('0003_late', 2.5)],
      [row(1, 1), row(2, 2), row(3, 3)],
      'Generate the file again',
    ],
    ['out of order', [...files, file('0003_late', 2.5)], [], 'Generate the file again'],
  ])('%s', (kind, folder, rows, advice) => {
    const history = compareHistory(folder, rows, defaultJournal);
    expect(history.faults).toEqual([
      expect.objectContaining({ kind, advice: expect.stringContaining(advice) }),
    ]);
    expect(() => refuseFaults(history)).toThrow(expect.objectContaining({ code: 'HISTORY', exitCode: 4 }));
  });
});

describe('rows of drizzle-kit 1.0, which knows names and whole seconds', () => {
  const stamped = [file('0000_a', 1_700_000_000_164), file('0001_b', 1_700_000_000_900)];
  const [first, second] = ['20231114221320_a', '20231114221320_b'];
  const cut = (id: number, name: string | null, hash: string): JournalRow => ({
    ...row(id, 1_700_000_000_000, hash),
    name,
  });

  test('are of the file of that name, also where two were generated in one second', () => {
    const rows = [cut(1, first, 'hash of 0000_a'), cut(2, second, 'hash of 0001_b')];
    expect(compareHistory(stamped, rows, defaultJournal)).toEqual({
      applied: stamped,
      pending: [],
      unnamed: [],
      faults: [],
    });
    expect(compareHistory(stamped, [cut(1, second, 'hash of 0001_b')], defaultJournal)).toMatchObject({
      applied: [stamped[1]],
      faults: [
        {
          kind: 'gap',
          advice: expect.stringContaining(
            `created_at, name) values ('hash of 0000_a', 1700000000164, '${first}')`,
          ),
        },
      ],
    });
  });

  test('that were edited, or stand beside one of drizzle-kit 0.31, are faults', () => {
    expect(compareHistory(stamped, [cut(1, first, 'other')], defaultJournal).faults).toMatchObject([
      { kind: 'edited' },
    ]);
    const twice = [row(1, 1_700_000_000_164, 'hash of 0000_a'), cut(2, first, 'hash of 0000_a')];
    expect(compareHistory(stamped, twice, defaultJournal).faults).toMatchObject([
      { kind: 'duplicate', advice: expect.stringContaining('where id in (2)') },
    ]);
  });

  test('without a name are of the file of that second and hash, and have to be named', () => {
    expect(compareHistory(stamped, [cut(1, null, 'hash of 0000_a')], defaultJournal)).toMatchObject({
      applied: [stamped[0]],
      unnamed: [stamped[0]],
      faults: [],
    });
    expect(compareHistory(stamped, [cut(1, null, 'other')], defaultJournal).faults).toMatchObject([
      { kind: 'unknown' },
    ]);
  });
});

test.each(['1', '01', '001', '0001', '0001_b'])('%s is 0001_b', (name) => {
  expect(resolveMigration(files, name).tag).toBe('0001_b');
});

test.each(['', '3', '0001_', 'b', '-1', '1e0', "'; drop table sessions"])('%s is no migration', (name) => {
  expect(() => resolveMigration(files, name)).toThrow(OperationError);
  expect(() => resolveMigration(files, name)).toThrow('names no migration');
});

test('a number that two files begin with names neither', () => {
  expect(() => resolveMigration([...files, file('0002_d', 4)], '2')).toThrow('more than one migration');
});
