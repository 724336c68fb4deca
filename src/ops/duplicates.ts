import type { Connection } from '../migrate/connection.ts';
import { OperationError } from '../migrate/errors.ts';
import {
  identityColumns,
  identityNames,
  isIdentified,
  isSameFill,
  type KeptReason,
  keptReason,
  knowsMostFirst,
  venueIdName,
} from './fillIdentitySql.ts';
import { liftTimeLimits } from './session.ts';

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

const identified = `select *, ${identityColumns} from fills where ${isIdentified}`;

/** The executions that are stored more than once, with all their rows, ranked: rank 1 stays. Shared by both statements. */
const repeated = `repeated as (
    select ${identityColumns}, count(*) as copies
    from fills
    where ${isIdentified}
    group by ${identityNames}
    having count(*) > 1
  )`;

const ranked = (among: string): string => `member as materialized (
    select f.*, row_number() over (partition by ${identityNames
      .split(', ')
      .map((name) => `f.${name}`)
      .join(', ')} order by ${knowsMostFirst}) as rank
    from (${identified}) as f
    where exists (select from ${among} as r where ${isSameFill('f', 'r')})
  )`;

/** Every surplus row with the row that stays in its place, and why. */
export const surplusRows = `
  with ${repeated},
  ${ranked('repeated')}
  select surplus.id as "surplusId", kept.id as "keptId", ${keptReason('kept', 'surplus')} as reason
  from member as surplus
  join member as kept on kept.rank = 1 and ${isSameFill('kept', 'surplus')}
  where surplus.rank > 1`;

const groups = `
  with ${repeated},
  sample as (
    select *,
           count(*) over () as groups,
           sum(copies - 1) over () as surplus,
           sum(copies - 1) filter (where ${venueIdName} <> '') over () as with_venue_id
    from repeated
    order by copies desc, ${identityNames}
    limit $1
  ),
  ${ranked('sample')}
  select s.groups::bigint as groups,
         s.surplus::bigint as "surplusRows",
         coalesce(s.with_venue_id, 0)::bigint as "surplusRowsWithVenueId",
         kept.symbol,
         kept.sessionid as "sessionId",
         kept.orderid as "orderId",
         kept."timestamp" as "timestampMs",
         kept.price,
         coalesce(kept.size, kept.amount) as size,
         s.${venueIdName} as "venueId",
         s.copies as rows,
         kept.id as "keptId",
         ${keptReason('kept', 'next')} as "keptBecause",
         array(
           select m.id from member as m where m.rank between 2 and 11 and ${isSameFill('m', 's')} order by m.rank
         ) as "surplusIds"
  from sample as s
  join member as kept on kept.rank = 1 and ${isSameFill('kept', 's')}
  join member as next on next.rank = 2 and ${isSameFill('next', 's')}
  order by s.copies desc, kept.id collate "C"`;

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
