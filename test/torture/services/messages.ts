import type { Waits } from './clock.ts';
import type { Started } from './start.ts';

/** What the services can be asked. They rest until they are told to work. */
export type Question =
  /** Another database: the ledger begins anew, with so many sessions of the first hour. */
  | { readonly ask: 'open'; readonly url: string; readonly touched: number }
  | { readonly ask: 'work' }
  /** Ends when every statement has been answered. */
  | { readonly ask: 'rest' }
  /** Notes what is committed now, as what a backup holds. */
  | { readonly ask: 'note' }
  /** Holds the database against what is committed, what was noted, or either of the two. */
  | { readonly ask: 'audit'; readonly url: string; readonly against: 'committed' | 'noted' | 'either' }
  /** Holds a copy that was made meanwhile against what was noted: of each row that version, or a later one. */
  | { readonly ask: 'audit copy'; readonly url: string }
  /** A service of the old kind starts, with its DDL. */
  | { readonly ask: 'start' }
  /** What was felt since the last time. */
  | { readonly ask: 'feelings' };

/** What a service has felt. */
export interface Feelings extends Waits {
  readonly surprises: readonly string[];
  /** Errors that it may meet, by SQLSTATE. */
  readonly errors: Readonly<Record<string, number>>;
}

/** What an audit has found out of order. From then on what it was held against is what is committed. */
export interface Audit {
  readonly problems: readonly string[];
}

export interface Answers {
  readonly open: undefined;
  readonly work: undefined;
  readonly rest: undefined;
  readonly note: undefined;
  readonly audit: Audit;
  readonly 'audit copy': Audit;
  readonly start: Started;
  readonly feelings: Feelings;
}

export interface Asked {
  readonly number: number;
  readonly question: Question;
}

export interface Answered {
  readonly number: number;
  readonly answer?: Answers[keyof Answers];
  readonly fault?: string;
}
