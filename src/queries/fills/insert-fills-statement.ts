import { type SQL, sql } from 'drizzle-orm';
import { fills } from '../../schema/index.ts';
import { joinNames, joinSql, nameSql } from '../core/join-sql.ts';
import { defineQuery } from '../core/query.ts';
import { defaultOf, rowsOf } from '../core/row-arrays.ts';
import { contentColumns } from './fill-batches.ts';
import { identityAsNames, identityParts, matchesIdentity } from './fill-identity.ts';
import { fillColumns } from './fill-input.ts';

/**
 * What must be equal for a row with the same id to be the same fill; the venue's id counts wherever it stands, and the
 * side in whatever letters.
 */
const contentOf = (alias: string): SQL => {
  const plain = contentColumns.filter(({ key }) => !['tradeId', 'execId', 'side'].includes(key));
  const venueId = sql`coalesce(${nameSql('execid', alias)}, ${nameSql('tradeid', alias)}::text)`;
  return sql`row(${joinNames(plain, alias)}, lower(${nameSql('side', alias)}), ${venueId})`;
};

const matching = (a: string, b: string): SQL =>
  joinSql(
    identityParts.map(({ name }) => sql`${nameSql(name, a)} = ${nameSql(name, b)}`),
    sql` and `,
  );

/** One array for each column that is sent, by its name, and how many rows they hold. */
export type BatchValues = Record<string, string | number | undefined> & { readonly rowCount: number };

const refusedFields = {
  ordinal: { expression: sql`r.ordinal`, decode: Number },
  /** Whether the row with its id says the same; null if no row has its id. */
  isSame: { expression: sql`by_id.is_same`, decode: (value: unknown): boolean | null => value === true },
  /** The row that holds its identity: from before, or inserted by this statement. */
  twinId: {
    expression: sql`coalesce(stored.id, r.earlier_id)`,
    decode: (value: unknown): string | null => String(value),
  },
};

/**
 * Inserts one batch, in its order, and explains each row that was refused; a row that is not in the result was inserted.
 *
 * Of rows with the same identity the first goes in. Only if some were refused the arrays are read once more, to say why.
 * What another transaction committed since the statement began is refused by the index but not visible to the selects:
 * such a row comes back unexplained, and is sent once more.
 */
export const insertBatch = defineQuery<BatchValues, typeof refusedFields>({
  name: 'insertFills',
  fields: refusedFields,
  statement: (given, columns) => {
    const sent = fillColumns.filter(({ name }) => given[name] !== undefined);
    const defaults = fillColumns
      .filter(({ name }) => given[name] === undefined)
      .map((column) => sql`${defaultOf(column)} as ${nameSql(column.name)}`);
    const rows = rowsOf(sent, given, 'u');
    const refused = [...fillColumns, { name: 'ordinal' }, ...identityParts];
    return sql`
with inserted as (
  insert into ${fills} (${joinNames(sent)})
  select ${joinNames(sent)}
  from ${rows}
  order by ordinal
  on conflict do nothing
  returning id
), input as materialized (
  select ${joinNames(fillColumns)}, ordinal, ${identityAsNames}
  from (
    select ${joinSql([joinNames(sent), ...defaults])}, ordinal
    from ${rows}
    where (select count(*) from inserted) < ${given.rowCount}::integer
  ) as u
), refused as materialized (
  select ${joinNames(refused)}
  from input as i
  where not exists (select from inserted as n where n.id = i.id)
), winners as (
  select ${joinNames(identityParts)}, id as earlier_id
  from input as i
  where exists (select from inserted as n where n.id = i.id)
), explained as (
  -- A full join is never a nested loop, whatever the planner takes the sizes for; offset 0 keeps it one.
  select ${joinNames(refused, 'r')}, w.earlier_id
  from refused as r
  full join winners as w on ${matching('w', 'r')}
  offset 0
)
select ${columns()}
from explained as r
left join lateral (
  select ${contentOf('f')} is not distinct from ${contentOf('r')} as is_same
  from fills as f
  where f.id = r.id
) as by_id on true
left join lateral (
  select id
  from fills
  where ${matchesIdentity(identityParts, 'r')}
  limit 1
) as stored on by_id.is_same is null
where r.ordinal is not null`;
  },
});
