import { expect, test } from 'vitest';
import { writeRunLine } from '../../src/cli/run-line.ts';

const build = {
  share: 0.874,
  words: 'index 5 of 9, about 2 s left',
  detail: 'building index: scanning table',
  longest: '; longest trade wait 186 ms',
};
const backfill = {
  share: 0.41,
  words: 'backfill, pass 1: 30,000 of 50,000 sessions, about 3 s left',
  inShort: 'backfill, pass 1, about 3 s left',
  longest: '; longest trade wait 12 ms',
};

test('all of it where there is room, or no width at all', () => {
  const whole =
    '[#################...] 87 %  index 5 of 9, about 2 s left: building index: scanning table; longest trade wait 186 ms';
  expect(writeRunLine(build, Number.POSITIVE_INFINITY)).toBe(whole);
  expect(writeRunLine(build, whole.length)).toBe(whole);
});

test('the detail goes first, cut between words as long as it says something', () => {
  expect(writeRunLine(build, 115)).toBe(
    '[#################...] 87 %  index 5 of 9, about 2 s left: building index: scanning …; longest trade wait 186 ms',
  );
  expect(writeRunLine(build, 90)).toBe(
    '[#################...] 87 %  index 5 of 9, about 2 s left; longest trade wait 186 ms',
  );
});

test('at 80 columns the longest wait of a trade is there, and no word is cut', () => {
  expect(writeRunLine(build, 79)).toBe(
    '[#########.] 87 %  index 5 of 9, about 2 s left; longest trade wait 186 ms',
  );
  expect(writeRunLine(backfill, 79)).toBe(
    '[####......] 41 %  backfill, pass 1, about 3 s left; longest trade wait 12 ms',
  );
  expect(writeRunLine(backfill, 60)).toBe('[####......] 41 %  backfill, pass 1, about 3 s left');
  expect(writeRunLine(backfill, 40)).toBe('backfill, pass 1, about 3 s left');
});

test('without a share there is no bar', () => {
  expect(writeRunLine({ share: undefined, words: 'measuring', longest: '' }, 80)).toBe('  measuring');
});
