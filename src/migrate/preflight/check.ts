import type { Connection } from '../../connection/connection.ts';
import type { CheckScope } from '../../connection/read-only.ts';
import { count as countOf } from '../../connection/units.ts';
import type { CatalogObject } from '../catalog/catalog.ts';
import type { ExpectedObject } from '../catalog/catalog-file.ts';
import type { Migrations } from '../catalog/repair.ts';
import type { History } from '../history/history.ts';
import type { DescribedPlan } from '../plan/describe.ts';
import type { Project } from '../project.ts';

/**
 * `blocker`: migrate would refuse, or fail for certain. `warning`: it may run, and someone has to know this first; also
 * a check that PostgreSQL did not let us make. `skipped`: nothing to look at here. `ok`: looked at, and fine.
 */
export type CheckLevel = 'ok' | 'skipped' | 'warning' | 'blocker';

/** What one check has seen. */
export interface Observation {
  readonly level: CheckLevel;
  /** In one sentence. */
  readonly found: string;
  /** One line each: who, which, how much. */
  readonly details?: readonly string[];
  /** What to do about it; nothing where there is nothing to do. */
  readonly advice?: string;
}

/** What a check may look at. It runs inside a read-only transaction. */
export interface CheckContext {
  readonly connection: Connection;
  readonly project: Project;
  /** Tables that the migrations know. */
  readonly tables: readonly string[];
  readonly expected: readonly ExpectedObject[];
  readonly live: readonly CatalogObject[];
  readonly history: History;
  /** What is recorded as applied, as repairs have to know it. */
  readonly migrations: Migrations;
  /** For `attempt`: a question that may be refused or cut short, and the check goes on. */
  readonly scope: CheckScope;
  /** What migrate would do, and the disk it would need. Undefined where the history is at fault. */
  readonly plan: DescribedPlan | undefined;
  /** Transactions that are open for less are no finding. */
  readonly longTransactionMs: number;
}

/** One question about a live database. */
export interface Check {
  /** Stable, for programs: `long-transactions`. */
  readonly id: string;
  /** Why it matters, in one sentence; shown with what was found. */
  readonly why: string;
  readonly look: (context: CheckContext) => Promise<Observation>;
}

export const isPending = ({ history }: CheckContext, tag: string): boolean =>
  history.pending.some((file) => file.tag === tag);

export const hasTable = ({ live }: CheckContext, table: string): boolean =>
  live.some((object) => object.kind === 'table' && object.name === table);

export const hasColumn = ({ live }: CheckContext, table: string, column: string): boolean =>
  live.some((object) => object.kind === 'column' && object.table === table && object.name === column);

/** `1 session`, `2,000 sessions` */
export const count = (number: number, noun: string, plural = `${noun}s`): string =>
  countOf(number, noun, plural);
