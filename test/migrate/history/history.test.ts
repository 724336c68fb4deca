import { describe, expect, test } from 'vitest';
import { OperationError } from '../../../src/connection/errors.ts';
import type { MigrationFile } from '../../../src/migrate/history/folder.ts';
import { compareHistory, refuseFaults, resolveMigration } from '../../../src/migrate/history/history.ts';
import { defaultJournal } from '../../../src/migrate/history/journal.ts';

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
