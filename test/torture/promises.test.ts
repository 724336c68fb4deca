import { expect, test } from 'vitest';
import { faults } from './faults/index.ts';
import { countTried, promises } from './promises.ts';
import { sabotages } from './sabotage/list.ts';
import { commands } from './work/index.ts';

const names = (of: readonly { readonly name: string }[]): string[] => of.map(({ name }) => name);

test('promises name faults, commands and sabotages that there are, and every sabotage breaks one', () => {
  expect(names(faults)).toEqual(expect.arrayContaining(promises.flatMap((each) => each.faults ?? [])));
  expect(names(commands)).toEqual(expect.arrayContaining(promises.flatMap((each) => each.commands ?? [])));
  const broken = new Set(promises.flatMap((each) => each.sabotages));
  expect([...broken].sort()).toEqual(names(sabotages).sort());
});

test('a promise is tried by its faults or by its commands, or by all', () => {
  const count = (held: number) => ({ held, missed: 9, skipped: 9, longestTradeWaitMs: 0, exitCodes: {} });
  const tried = countTried({ 'a pause': count(2), 'client killed': count(3) }, { backup: count(1) });
  const of = (word: string) => tried.find(({ promise }) => promise.includes(word))?.tried;
  expect([of('a pause holds'), of('no committed row'), of('before a backup')]).toEqual([2, 5, 1]);
  expect(of('a restore makes')).toBe(0);
});
