import { quoteIdentifier as quote } from '../../connection/identifiers.ts';
import { type CheckContext, hasColumn } from '../../migrate/preflight/check.ts';
import { ownPair, rowRules } from '../row-rules.ts';

export const filledBy = '0001_multi_pair_support';

const pairOrNothing = `case when ${ownPair} is null then '[]'::jsonb else jsonb_build_array(${ownPair}) end`;

/** What 0001 makes of pairs that are there: what says nothing is filled, a lone string is kept where no symbol says more. */
const repairedPairs = `case
  when pairs is null or pairs in ('[]', '[""]', '""') then ${pairOrNothing}
  when jsonb_typeof(pairs) = 'array' then pairs
  when jsonb_typeof(pairs) = 'string' and ${ownPair} is null then jsonb_build_array(pairs)
  else ${pairOrNothing}
end`;

/** The sessions as they will be when 0001 has filled them, as SQL for FROM; every row, or those that it updates. */
export function sessionsAfter(context: CheckContext, which: 'every row' | 'updated'): string {
  const pairs = hasColumn(context, 'sessions', 'pairs') ? repairedPairs : pairOrNothing;
  const columns = context.live
    .filter(({ kind, table, name }) => kind === 'column' && table === 'sessions' && !isFilled(name))
    .map(({ name }) => `s.${quote(name)}`);
  return `(
    select ${columns.join(', ')}, n.pairs, jsonb_array_length(n.pairs) as pair_count
    from (select sessions.*, ${pairs} as pairs_after from sessions${which === 'updated' ? ` where ${updatedRows(context, 'sessions')}` : ''}) as s
    cross join lateral (select s.pairs_after as pairs) as n
  ) as sessions`;
}

const isFilled = (name: string): boolean => name === 'pairs' || name === 'pair_count';

/** SQL that is true of the rows of a table that 0001 will update. */
export function updatedRows(context: CheckContext, table: 'sessions' | 'orders'): string {
  const own = rowRules.filter((rule) => rule.table === table && rule.migration === filledBy);
  const isThere = (name: string): boolean => {
    const [owner = '', column = ''] = name.split('.');
    return hasColumn(context, owner, column);
  };
  const added = own.flatMap(({ columns }) => columns).filter((name) => isAdded(context, name));
  if (added.length > 0 && added.every(isThere))
    return own.map(({ condition }) => `(${condition})`).join(' or ');
  // Half of an older attempt: who knows what its rows hold.
  if (added.some(isThere)) return 'true';
  return table === 'sessions' ? `${ownPair} is not null` : 'false';
}

const isAdded = ({ expected }: CheckContext, name: string): boolean =>
  expected.some(
    (column) =>
      column.kind === 'column' && `${column.table}.${column.name}` === name && column.migration === filledBy,
  );
