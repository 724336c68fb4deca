import type { Connection } from '../../connection/connection.ts';
import { OperationError } from '../../connection/errors.ts';
import { liftTimeLimits } from '../../connection/session.ts';
import {
  identityColumns,
  identityNames,
  isIdentified,
  isSameFill,
  type KeptReason,
  keptReason,
  knowsMostFirst,
  venueIdName,
} from './identity.ts';

/** One execution that is stored more than once. */
export interface DuplicateGroup {
  readonly symbol: string;
  readonly sessionId: string | null;
  readonly orderId: string | null;
  /** When it happened at the venue, epoch ms. */
  readonly timestampMs: number;
  /** In the quote asset. */
  readonly price: number;
  /** In the base asset. */
  readonly size: number;
  /** The venue's id of the execution; '' where it has none, and the rows can't be told apart. */
  readonly venueId: string;
  /** How many rows it has, the kept one among them. */
  readonly rows: number;
  /** `fills.id` of the row that stays. */
  readonly keptId: string;
  readonly keptBecause: KeptReason;
  /** `fills.id` of the others, the first ten. */
  readonly surplusIds: readonly string[];
}

/** What the unique index would refuse. */
export interface Duplicates {
  /** Executions that are stored more than once. */
  readonly groups: number;
  /** Rows too many: what `dedupe` moves. */
  readonly surplusRows: number;
  /** Those of them that carry the venue's id of the execution: the same execution, delivered again. */
  readonly surplusRowsWithVenueId: number;
  /** Those that carry none: all else is equal, so they can't be told apart. */
  readonly surplusRowsWithoutVenueId: number;
  /** The groups with the most rows. */
  readonly samples: readonly DuplicateGroup[];
}

/** What to show of the duplicates. */
export interface DuplicatesOptions {
  /** How many groups to show, 0 to 1000 (default 20). */
  readonly samples?: number;
}

/** More would not be read, and would have to be kept in memory. */
const maxSamples = 1_000;

/** The executions that are stored more than once. */
const repeated = `repeated as (
    select ${identityColumns}, count(*) as copies
    from fills
    where ${isIdentified}
    group by ${identityNames}
    having count(*) > 1
  )`;

/** The rows of some of them; in the window `w`, the one that stays comes first. One pass, whatever the planner expects. */
const members = (among: string): string => `
  from (select *, ${identityColumns} from fills where ${isIdentified}) as f
  join ${among} as r on ${isSameFill('f', 'r')}
  window w as (partition by ${identityNames.replaceAll('k', 'r.k')} order by ${knowsMostFirst})`;

/** Every surplus row with the row that stays in its place, and why. */
export const surplusRows = `
  with ${repeated},
  member as (
    select f.id,
           row_number() over w as rank,
           first_value(f.id) over w as kept_id,
           ${keptReason(
             (column) => `first_value(f.${column}) over w`,
             (column) => `f.${column}`,
           )} as reason
    ${members('repeated')}
  )
  select id as "surplusId", kept_id as "keptId", reason from member where rank > 1`;

const groups = `
  with ${repeated},
  sample as (
    select *,
           count(*) over () as groups,
           (sum(copies - 1) over ())::bigint as surplus,
           coalesce(sum(copies - 1) filter (where ${venueIdName} <> '') over (), 0)::bigint as with_venue_id
    from repeated
    order by copies desc, ${identityNames}
    limit $1
  ),
  member as (
    select f.*, r.groups, r.surplus, r.with_venue_id, r.copies,
           row_number() over w as rank,
           ${keptReason(
             (column) => `f.${column}`,
             (column) => `lead(f.${column}) over w`,
           )} as reason,
           array_agg(f.id) over (w rows between 1 following and 10 following) as surplus_ids
    ${members('sample')}
  )
  select groups,
         surplus as "surplusRows",
         with_venue_id as "surplusRowsWithVenueId",
         symbol,
         sessionid as "sessionId",
         orderid as "orderId",
         "timestamp" as "timestampMs",
         price,
         coalesce(size, amount) as size,
         ${venueIdName} as "venueId",
         copies as rows,
         id as "keptId",
         reason as "keptBecause",
         surplus_ids as "surplusIds"
  from member
  where rank = 1
  order by copies desc, id collate "C"`;

interface GroupRow extends DuplicateGroup {
  readonly groups: number;
  readonly surplusRows: number;
  readonly surplusRowsWithVenueId: number;
}

/**
 * Lists what `idx_fills_unique_dedup` would refuse, and nothing else, by the index's own expressions: the executions
 * that are stored more than once, how many rows are too many, and which row of each stays. A row without symbol,
 * timestamp, price or size can't be identified and is never a duplicate.
 *
 * Reads `fills` twice from end to end (some seconds a million rows), in one snapshot, and takes no lock that
 * holds up reads or writes.
 *
 * @throws OperationError `USAGE` where `samples` is out of bounds; `PRIVILEGE_MISSING`; `STATEMENT_FAILED` where there
 *   is no table `fills`
 * @example
 * await using connection = await openConnection('postgres://localhost/trading');
 * const { surplusRows, samples } = await listDuplicates(connection, { samples: 5 });
 */
export async function listDuplicates(
  connection: Connection,
  options: DuplicatesOptions = {},
): Promise<Duplicates> {
  const samples = options.samples ?? 20;
  if (!Number.isInteger(samples) || samples < 0 || samples > maxSamples) {
    throw new OperationError({
      code: 'USAGE',
      message: `samples must be an integer from 0 to ${maxSamples}`,
      advice: 'Choose fewer groups to show; the totals always count all of them.',
    });
  }
  await using _limits = await liftTimeLimits(connection);
  // One statement, so one snapshot: totals and samples speak of the same rows. At least one group, for the totals.
  const rows = await connection.query<GroupRow>(groups, [Math.max(samples, 1)]);
  const [first] = rows;
  const surplus = first?.surplusRows ?? 0;
  const withVenueId = first?.surplusRowsWithVenueId ?? 0;
  return {
    groups: first?.groups ?? 0,
    surplusRows: surplus,
    surplusRowsWithVenueId: withVenueId,
    surplusRowsWithoutVenueId: surplus - withVenueId,
    samples: rows.slice(0, samples).map(toGroup),
  };
}

function toGroup({
  groups: _groups,
  surplusRows: _surplus,
  surplusRowsWithVenueId: _withVenueId,
  ...group
}: GroupRow): DuplicateGroup {
  return group;
}
