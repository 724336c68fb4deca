import type { StatementFacts } from '../project.ts';
import { normalizeStatement } from './normalize.ts';

/** Schema of the frame that migration files stand in: its procedures, made by the first of our own files. */
export const frameSchema = 'multi_pair_db';

const harmless = { tables: [], locks: [], rewrite: 'no', isQuick: true } as const;
const catalogOnly = { lock: 'none on tables', ...harmless } as const;

/** What each procedure of the frame does to others. */
const procedures: Readonly<Record<string, StatementFacts>> = {
  enter: {
    ...catalogOnly,
    work: 'takes the migrations’ lock, alone or not at all; lifts the time limits of this session',
  },
  expect_index: {
    lock: 'SHARE UPDATE EXCLUSIVE on an index that is INVALID or defined otherwise, for some milliseconds',
    work: 'reads the catalog; renames such an index, and a valid one serves until its successor stands',
    ...harmless,
  },
  expect_column: { ...catalogOnly, work: 'reads the catalog; refuses a column of another type' },
  rest: {
    ...catalogOnly,
    work: 'nothing; waits where a run is paused, a standby lags, the WAL archive fails or trading is slow',
  },
  require_column: { ...catalogOnly, work: 'reads the catalog; refuses where the column is missing' },
  clear_undo: {
    lock: 'ACCESS EXCLUSIVE on sessions and orders after an undo that broke off, for some milliseconds',
    work: 'drops the triggers and drafts that such an undo has left',
    ...harmless,
  },
  prove: {
    ...catalogOnly,
    work: 'reads the catalog: all as expected, or an error; puts the time limits back',
  },
  hand_over: { ...catalogOnly, work: 'the lock becomes that of the transaction that writes the journal row' },
  forget: { lock: 'ROW EXCLUSIVE on the journal', work: 'takes the row of the file away', ...harmless },
  leave: { ...catalogOnly, work: 'puts the time limits back, and gives the migrations’ lock back' },
};

const call = new RegExp(`\\bcall\\s+${frameSchema}\\.(\\w+)\\s*\\(`, 'i');

/** What a call of the frame does; undefined where the statement is none. */
export function classifyFrameCall(sql: string): StatementFacts | undefined {
  if (!/^call\b/i.test(sql)) return undefined;
  return procedures[call.exec(sql)?.[1] ?? ''];
}

/** Does the file stand in the frame? Then it says itself where transactions begin and end. */
export const isFramed = (statements: readonly { readonly sql: string }[]): boolean =>
  statements.some(({ sql }) => normalizeStatement(sql).startsWith(`call ${frameSchema}.enter(`));

/** Does the statement rest by itself, where there is reason to? */
export const restsItself = (sql: string): boolean =>
  new RegExp(`\\bcall\\s+${frameSchema}\\.rest\\s*\\(`, 'i').test(sql);

/** Does the file take its own journal row away? */
export const forgetsItself = (statements: readonly { readonly sql: string }[]): boolean =>
  statements.some(({ sql }) => new RegExp(`\\bcall\\s+${frameSchema}\\.forget\\s*\\(`, 'i').test(sql));
