import type { Connection } from '../../connection/connection.ts';
import { liftTimeLimits } from '../../connection/session.ts';
import { type Bounds, checkBounds } from './bounds.ts';
import { listColumns } from './columns.ts';
import { duplicatesQuery } from './duplicates-query.ts';
import type { KeptReason } from './identity.ts';
import { refuseHiddenRows } from './safety.ts';

/** One execution that is stored more than once. */
export interface DuplicateGroup {
  readonly symbol: string;
  /** That of the row that stays, in its letters. */
  readonly side: string | null;
  readonly sessionId: string | null;
  readonly orderId: string | null;
  /** When it happened at the venue, epoch ms. */
  readonly timestampMs: number;
  /** In the quote asset. */
  readonly price: number;
  /** In the base asset. */
  readonly size: number;
  /** The venue's id of the execution; '' where it has none, and nothing proves that the rows are one execution. */
  readonly venueId: string;
  /** How many rows it has, the kept one among them. */
  readonly rows: number;
  /** `fills.id` of the row that stays. */
  readonly keptId: string;
  readonly keptBecause: KeptReason;
  /** `fills.id` of the others, the first ten. */
  readonly surplusIds: readonly string[];
  /** The columns in which the rows differ, beside their id: fee, data, … Empty where they are the same in all. */
  readonly differsIn: readonly string[];
}

/** What the unique index would refuse. */
export interface Duplicates {
  /** Executions that are stored more than once. */
  readonly groups: number;
  /** Rows too many. */
  readonly surplusRows: number;
  /** Those of them that the venue's id proves to be the same execution, delivered again: what `dedupe` moves. */
  readonly surplusRowsWithVenueId: number;
  /** Those that no venue's id proves: `dedupe` moves them only if it is told to. */
  readonly surplusRowsWithoutVenueId: number;
  /** Groups whose rows differ in nothing but their id. */
  readonly identicalGroups: number;
  /** In how many groups the rows differ in a column, most of them first. A group may count in several columns. */
  readonly differingColumns: readonly { readonly column: string; readonly groups: number }[];
  /** The groups with the most rows. */
  readonly samples: readonly DuplicateGroup[];
}

/** How many groups to show. More would not be read, and would have to be kept in memory. */
export const duplicateSamples: Bounds = { least: 0, most: 1_000, default: 20 };

/** What to show of the duplicates. */
export interface DuplicatesOptions {
  /** How many groups to show; see `duplicateSamples`. */
  readonly samples?: number;
}

interface Totals {
  readonly groups: number;
  readonly surplusRows: number;
  readonly surplusRowsWithVenueId: number;
  readonly identicalGroups: number;
  readonly differingColumns: Duplicates['differingColumns'];
}

/**
 * Lists what `idx_fills_unique_dedup` would refuse, and nothing else, by the index's own expressions: the executions
 * that are stored more than once, how many rows are too many, which row of each stays, and in what the rows differ. A
 * row without symbol, timestamp, price or size can't be identified and is never a duplicate.
 *
 * Reads `fills` twice from end to end (some seconds a million rows), in one snapshot, and takes no lock that
 * holds up reads or writes.
 *
 * @throws OperationError `USAGE` where `samples` is out of bounds; `REFUSED` where row-level security hides rows;
 *   `PRIVILEGE_MISSING`; `STATEMENT_FAILED` where there is no table `fills`
 * @example
 * await using connection = await openConnection('postgres://localhost/trading');
 * const { surplusRows, samples } = await listDuplicates(connection, { samples: 5 });
 */
export async function listDuplicates(
  connection: Connection,
  options: DuplicatesOptions = {},
): Promise<Duplicates> {
  const samples = checkBounds('samples', options.samples, duplicateSamples);
  await using _limits = await liftTimeLimits(connection);
  await refuseHiddenRows(connection, 'fills');
  const columns = await listColumns(connection, 'fills');
  const rows = await connection.query<Totals & DuplicateGroup>(duplicatesQuery(columns), [samples]);
  const [totals] = rows;
  if (totals === undefined) throw new Error('totals without a row');
  const { groups, surplusRows, surplusRowsWithVenueId, identicalGroups, differingColumns } = totals;
  return {
    groups,
    surplusRows,
    surplusRowsWithVenueId,
    surplusRowsWithoutVenueId: surplusRows - surplusRowsWithVenueId,
    identicalGroups,
    differingColumns,
    // Where there is nothing to show, the totals stand alone.
    samples: rows.filter(({ keptId }) => keptId !== null).map(withoutTotals),
  };
}

function withoutTotals({
  groups: _groups,
  surplusRows: _surplusRows,
  surplusRowsWithVenueId: _withVenueId,
  identicalGroups: _identical,
  differingColumns: _differing,
  ...group
}: Totals & DuplicateGroup): DuplicateGroup {
  return group;
}
