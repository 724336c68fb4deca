import { liftLimits } from '../../connection/limits.ts';
import type { MigrationStatement } from '../history/folder.ts';
import type { StatementFacts } from '../project.ts';
import { readBlockLabel } from './head.ts';
import type { ReadStatement, StatementReading } from './statements.ts';

/** One statement that is sent to the server, exactly as it is sent. */
export interface PlanStep {
  readonly sql: string;
  /** `runner`: what the migrator adds. `file`: what the migration file says. */
  readonly from: 'runner' | 'file';
  /** Line of the file, from 1; undefined for the runner's own. */
  readonly line: number | undefined;
  readonly facts: StatementFacts;
  /** What it leaves: a transaction that is open, or none. Undefined: as it was before. */
  readonly leaves: StatementReading['leaves'];
  /** A setting that not every platform knows: a refusal is no fault. */
  readonly optional: boolean;
}

/** DO blocks of a file, by label. */
export type Blocks = Readonly<Record<string, StatementFacts>>;

/** Waits that others notice are kept this short, and tried again. */
const lockTimeout = '50ms';

/** A statement of a file, with what it does. */
export function fileStep({ sql, line }: MigrationStatement, blocks: Blocks, read: ReadStatement): PlanStep {
  const { facts, leaves } = read(sql);
  const known = blocks[readBlockLabel(sql) ?? ''];
  return { sql, from: 'file', line, facts: known ?? facts, leaves, optional: false };
}

/** The migrator's own: it says itself what they do. */
export const runnerStep = (
  sql: string,
  facts: StatementFacts,
  { optional = false, leaves }: Partial<Pick<PlanStep, 'optional' | 'leaves'>> = {},
): PlanStep => ({ sql, from: 'runner', line: undefined, facts, leaves, optional });

/** What no table notices. */
export const catalogOnly = (work: string): StatementFacts => ({
  lock: 'none on tables',
  work,
  tables: [],
  locks: [],
  rewrite: 'no',
  isQuick: true,
});

const transactions = catalogOnly('begins or ends a transaction');
const settings = catalogOnly('settings of this session only');

export const begin = runnerStep('begin', transactions, { leaves: 'transaction' });
export const commit = runnerStep('commit', transactions, { leaves: 'no transaction' });
/** In a transaction of the runner, everybody who comes while a statement waits queues behind it. */
export const shortLockTimeout = runnerStep(`set local lock_timeout = '${lockTimeout}'`, settings);

/** Time limits lifted; the migrator puts them back at the end. */
export const liftLimitSteps = (versionNumber: number): PlanStep[] =>
  liftLimits(versionNumber).map(({ sql, optional }) => runnerStep(sql, settings, { optional }));

/** An index that is INVALID; `index` as SQL wants it. */
export const dropsIndex = (index: string): StatementFacts => ({
  lock: `SHARE UPDATE EXCLUSIVE on the table of ${index}: reads and writes go on`,
  work: 'waits for transactions that may use the index',
  tables: [],
  locks: [{ name: index, on: 'its table', mode: 'SHARE UPDATE EXCLUSIVE' }],
  rewrite: 'no',
});
