import { formatCount } from '../connection/units.ts';

/** Turns what an operator has typed into a value. */
export interface Parser<Value> {
  /** What is right, to end the sentence 'it has to be …'. */
  readonly expected: string;
  /** Gives undefined where the text is not what is expected. */
  readonly parse: (text: string) => Value | undefined;
}

/** A name or path. Empty is refused: it comes from a variable of the shell that is not set, and is never meant. */
export const text: Parser<string> = {
  expected: 'a text that is not empty',
  parse: (typed) => (typed === '' ? undefined : typed),
};

/** `1 to 10,000`: what a whole number may be, for a summary. */
export const range = (least: number, most: number): string => `${formatCount(least)} to ${formatCount(most)}`;

/** A number of things. It has bounds, so that a slip of the finger is refused and not run. */
export function wholeNumber(least: number, most: number): Parser<number> {
  return {
    expected: `a whole number from ${range(least, most)}`,
    parse: (typed) => {
      if (!/^\d{1,9}$/.test(typed)) return undefined;
      const number = Number(typed);
      return number >= least && number <= most ? number : undefined;
    },
  };
}

/** A week. Beyond 24 days neither PostgreSQL's timeouts nor the timers of Node could count the milliseconds. */
const maxSeconds = 7 * 86_400;

/** A time to wait, typed in seconds; gives milliseconds. */
export const seconds: Parser<number> = {
  expected: `a number of seconds from 0 to ${formatCount(maxSeconds)}`,
  parse: (typed) => {
    if (!/^\d{1,6}(\.\d{1,3})?$/.test(typed)) return undefined;
    const number = Number(typed);
    return number <= maxSeconds ? Math.round(number * 1_000) : undefined;
  },
};

const ageUnitsMs: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** How old something may be, typed as `90m`, `24h` or `7d`; gives milliseconds. */
export const age: Parser<number> = {
  expected: 'an age such as 90m, 24h or 7d',
  parse: (typed) => {
    const [, number = '', unit = ''] = /^(\d{1,6})([mhd])$/.exec(typed) ?? [];
    const unitMs = ageUnitsMs[unit];
    return unitMs === undefined ? undefined : Number(number) * unitMs;
  },
};
