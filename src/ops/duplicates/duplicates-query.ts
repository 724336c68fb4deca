import type { Column } from './columns.ts';
import { identityNames, keptReason, venueIdName } from './identity.ts';
import { isMemberProven, members, repeated } from './surplus.ts';

/** As text: every type has one, and not every type can be compared. */
const differs = ({ quoted }: Column): string =>
  `(count(${quoted}) not in (0, count(*))
        or min(${quoted}::text collate "C") <> max(${quoted}::text collate "C"))`;

/** True where a group of rows has more than one value of a column, null among them. */
const differingColumns = (columns: readonly Column[]): string =>
  columns
    .filter(({ name }) => name !== 'id')
    .map((column) => `case when ${differs(column)} then ${column.literal} end`)
    .join(',\n      ');

/** What is shown of a group: columns of the row that stays, by the name under which they are shown. */
const shown: Readonly<Record<string, string>> = {
  symbol: 'symbol',
  side: 'side',
  sessionId: 'sessionid',
  orderId: 'orderid',
  timestampMs: '"timestamp"',
  price: 'price',
  size: 'coalesce(size, amount)',
  keptId: 'id',
  keptBecause: 'kept_because',
};

/** Each from the one row of its group that stays: a join of groups and rows would be a nested loop to the planner. */
const shownOfKept = Object.entries(shown)
  .map(([name, column]) => `min(${column}) filter (where member_rank = 1) as "${name}"`)
  .join(',\n           ');

/**
 * The totals of all groups, beside each of the `$1` groups with the most rows: one statement, so one snapshot, and
 * totals and samples speak of the same rows. One row at least: where there is no group, its columns are null.
 */
export const duplicatesQuery = (columns: readonly Column[]): string => `
  with ${repeated},
  member as (
    select f.*,
           row_number() over w as member_rank,
           ${isMemberProven} as is_proven,
           ${keptReason(
             (column) => `f.${column}`,
             (column) => `lead(f.${column}) over w`,
           )} as kept_because
    ${members}
  ),
  grouped as (
    select ${identityNames}, count(*) as rows,
           count(*) filter (where is_proven and member_rank > 1) as proven_rows,
           array_agg(id order by member_rank) filter (where member_rank between 2 and 11) as "surplusIds",
           ${shownOfKept},
           array_remove(array[${differingColumns(columns)}]::text[], null) as "differsIn"
    from member
    group by ${identityNames}
  ),
  totals as (
    select count(*) as groups,
           coalesce(sum(rows - 1), 0)::bigint as "surplusRows",
           coalesce(sum(proven_rows), 0)::bigint as "surplusRowsWithVenueId",
           count(*) filter (where "differsIn" = '{}') as "identicalGroups",
           (select coalesce(jsonb_agg(jsonb_build_object('column', name, 'groups', groups) order by groups desc, name), '[]')
            from (select name, count(*) as groups
                  from grouped cross join unnest("differsIn") as name
                  group by name) as c) as "differingColumns"
    from grouped
  ),
  sample as (
    select * from grouped order by rows desc, ${identityNames} limit $1
  )
  select t.*, ${Object.keys(shown)
    .map((name) => `"${name}"`)
    .join(', ')}, ${venueIdName} as "venueId", rows, "surplusIds", "differsIn"
  from totals as t
  left join sample on true
  order by rows desc, "keptId" collate "C"`;
