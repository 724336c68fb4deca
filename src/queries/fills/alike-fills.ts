import { sql } from 'drizzle-orm';
import { fillIdentity } from '../../schema/index.ts';
import type { Database } from '../core/database.ts';
import { joinSql } from '../core/join-sql.ts';
import { defineQuery } from '../core/query.ts';
import { type PendingFill, toIdentityArrays } from './fill-batches.ts';
import { fillColumns } from './fill-input.ts';

const identityKeys = fillIdentity.map((expression, i) => ({
  expression,
  name: sql.identifier(`key_${i + 1}`),
}));
const shared = identityKeys.slice(0, -1);
const venueId = identityKeys[identityKeys.length - 1] ?? identityKeys[0];

const fields = {
  ordinal: { expression: sql`i.ordinal`, decode: Number },
  ids: { expression: sql`a.ids`, decode: (value: unknown): string[] => JSON.parse(String(value)) },
};

const query = defineQuery<Record<string, string | undefined>, typeof fields>({
  name: 'insertFills_alike',
  fields,
  statement: (given, columns) => {
    const sent = fillColumns.filter(({ name }) => given[name] !== undefined);
    return sql`
select ${columns()}
from (
  select ordinal, ${joinSql(identityKeys.map(({ expression, name }) => sql`${expression} as ${name}`))}
  from unnest(
    ${joinSql(sent.map(({ name, type }) => sql`${given[name]}::text::${sql.raw(type)}[]`))}
  ) with ordinality as u (${joinSql(sent.map(({ name }) => sql`${sql.identifier(name)}`))}, ordinal)
) as i
cross join lateral (
  select json_agg(id order by id)::text as ids
  from (
    select id
    from fills
    where ${joinSql(
      shared.map(({ expression, name }) => sql`${expression} = i.${name}`),
      sql` and `,
    )}
      and ${venueId?.expression} <> i.${venueId?.name}
    order by id
    limit 100
  ) as f
) as a
where a.ids is not null`;
  },
});

/** Stored fills that are equal to these in all but the venue's id, by the position of the row in the input. */
export async function listAlikeFills(
  db: Database,
  rows: readonly PendingFill[],
): Promise<Map<number, string[]>> {
  const found = await query.list(db, toIdentityArrays(rows));
  return new Map(found.map(({ ordinal, ids }) => [rows[ordinal - 1]?.position ?? -1, ids]));
}
