import { sql } from 'drizzle-orm';
import type { Database } from '../core/database.ts';
import { nameSql } from '../core/join-sql.ts';
import { defineQuery } from '../core/query.ts';
import { rowsOf, toArrays } from '../core/row-arrays.ts';
import type { PendingFill } from './fill-batches.ts';
import {
  identityAsNames,
  identityColumns,
  identityPartOf,
  identityParts,
  matchesIdentity,
} from './fill-identity.ts';

const venueId = identityPartOf('execId');
const shared = identityParts.filter((part) => part !== venueId);

const fields = {
  ordinal: { expression: sql`i.ordinal`, decode: Number },
  ids: { expression: sql`a.ids`, decode: (value: unknown): string[] => JSON.parse(String(value)) },
};

const query = defineQuery<Record<string, string>, typeof fields>({
  name: 'insertFills_alike',
  fields,
  statement: (given, columns) => sql`
select ${columns()}
from (
  select ordinal, ${identityAsNames}
  from ${rowsOf(identityColumns, given, 'u')}
) as i
cross join lateral (
  select json_agg(id order by id)::text as ids
  from (
    select id
    from fills
    where ${matchesIdentity(shared, 'i')}
      and ${venueId.expression} <> i.${nameSql(venueId.name)}
    order by id
    limit 100
  ) as f
) as a
where a.ids is not null`,
});

/** Stored fills that are equal to these in all but the venue's id, by the position of the row in the input. */
export async function listAlikeFills(
  db: Database,
  rows: readonly PendingFill[],
): Promise<Map<number, string[]>> {
  const found = await query.list(
    db,
    toArrays(
      identityColumns,
      rows.map(({ values }) => values),
    ),
  );
  return new Map(found.map(({ ordinal, ids }) => [rows[ordinal - 1]?.position ?? -1, ids]));
}
