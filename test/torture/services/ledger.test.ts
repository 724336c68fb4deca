import { expect, test } from 'vitest';
import { Ledger, type Write } from './ledger.ts';

const kind = 'orders';
const write = (id: string, version: number): Write => ({ kind, id, version });

/** Rows as an audit finds them. */
const stored = (rows: Readonly<Record<string, number>>): Map<string, number> => new Map(Object.entries(rows));

function commit(ledger: Ledger, ...writes: Write[]): void {
  ledger.send(writes);
  ledger.acknowledge(writes);
}

test('what is acknowledged has to be there, at that version', () => {
  const ledger = new Ledger();
  commit(ledger, write('a', 1), write('b', 2));
  expect(ledger.compare(kind, stored({ a: 1, b: 2 }))).toEqual([]);
  expect(ledger.compare(kind, stored({ b: 2 }))).toEqual([expect.stringContaining('a is lost')]);
  expect(ledger.compare(kind, stored({ a: 1, b: 1 }))).toEqual([
    expect.stringContaining('b is at version 1'),
  ]);
});

test('what nobody has sent, or what was refused, must not be there', () => {
  const ledger = new Ledger();
  ledger.send([write('a', 1)]);
  ledger.refuse([write('a', 1)]);
  expect(ledger.compare(kind, stored({}))).toEqual([]);
  expect(ledger.compare(kind, stored({ a: 1 }))).toEqual([expect.stringContaining('no service has')]);
});

test('what was sent without an answer may be there or not, and from then on it stays as it was found', () => {
  const ledger = new Ledger();
  commit(ledger, write('a', 1));
  ledger.send([write('a', 2), write('b', 3)]);
  for (const rows of [{ a: 1 }, { a: 2, b: 3 }]) expect(ledger.compare(kind, stored(rows))).toEqual([]);
  expect(ledger.compare(kind, stored({ b: 3 }))).toHaveLength(1);

  const found = stored({ a: 2 });
  ledger.settle(kind, found);
  expect(ledger.compare(kind, found)).toEqual([]);
  expect(ledger.compare(kind, stored({ a: 1 }))).toHaveLength(1);
  expect(ledger.compare(kind, stored({ a: 2, b: 3 }))).toHaveLength(1);
});

test('a copy keeps what was, and only what is certainly stored is picked', () => {
  const ledger = new Ledger();
  commit(ledger, write('a', 1));
  const copy = ledger.copy();
  commit(ledger, write('a', 2));
  expect(copy.compare(kind, stored({ a: 1 }))).toEqual([]);
  expect(copy.pick(kind, 0)).toBe('a');
  ledger.send([write('a', 3)]);
  expect(ledger.pick(kind, 0)).toBeUndefined();
  expect(ledger.pick('fills', 0.5)).toBeUndefined();
});
