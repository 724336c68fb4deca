import type { Column } from './columns.ts';
import { identityNames, isSameFill, keptReason, venueIdName } from './identity.ts';
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

/**
 * The totals of all groups, beside each of the `$1` groups with the most rows: one statement, so one snapshot, and
 * totals and samples speak of the same rows. One row at least: where there is no group, its columns are null.
 */
export const duplicatesQuery = (columns: readonly Column[]): string => `
  with ${repeated},
  member as materialized (
    select f.*, r.copies as member_copies,
           row_number() over w as member_rank,
           ${isMemberProven} as is_proven,
           ${keptReason(
             (column) => `f.${column}`,
             (column) => `lead(f.${column}) over w`,
           )} as kept_because,
           array_agg(f.id) over (w rows between 1 following and 10 following) as surplus_ids
    ${members}
  ),
  grouped as (
    select ${identityNames}, count(*) as copies,
           count(*) filter (where is_proven and member_rank > 1) as proven_rows,
           array_remove(array[${differingColumns(columns)}]::text[], null) as differs_in
    from member
    group by ${identityNames}
  ),
  totals as (
    select count(*) as groups,
           coalesce(sum(copies - 1), 0)::bigint as surplus_rows,
           coalesce(sum(proven_rows), 0)::bigint as proven_rows,
           count(*) filter (where differs_in = '{}') as identical_groups,
           (select coalesce(jsonb_agg(jsonb_build_object('column', name, 'groups', groups) order by groups desc, name), '[]')
            from (select name, count(*) as groups
                  from grouped cross join unnest(differs_in) as name
                  group by name) as c) as differing_columns
    from grouped
  ),
  sample as (
    select * from grouped order by copies desc, ${identityNames} limit $1
  ),
  kept as (
    select m.*, s.differs_in
    from sample as s
    join member as m on ${isSameFill('m', 's')}
    where m.member_rank = 1
  )
  select t.groups,
         t.surplus_rows as "surplusRows",
         t.proven_rows as "surplusRowsWithVenueId",
         t.identical_groups as "identicalGroups",
         t.differing_columns as "differingColumns",
         symbol,
         side,
         sessionid as "sessionId",
         orderid as "orderId",
         "timestamp" as "timestampMs",
         price,
         coalesce(size, amount) as size,
         ${venueIdName} as "venueId",
         member_copies as rows,
         id as "keptId",
         kept_because as "keptBecause",
         surplus_ids as "surplusIds",
         differs_in as "differsIn"
  from totals as t
  left join kept on true
  order by member_copies desc, id collate "C"`;
