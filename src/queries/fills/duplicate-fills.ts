import { sql } from 'drizzle-orm';
import { checkLimit, checkText } from '../core/arguments.ts';
import type { CallOptions } from '../core/call.ts';
import type { Database } from '../core/database.ts';
import { defineCall } from '../core/define-call.ts';
import { joinSql } from '../core/join-sql.ts';
import type { OptionsOf } from '../core/options.ts';
import { type Computed, defineQuery } from '../core/query.ts';
import { identityPartOf, identityParts } from './fill-identity.ts';

/** Stored fills that are one execution: `idx_fills_unique_dedup` would keep one of them. */
export interface DuplicateFills {
  readonly sessionId: string | null;
  readonly orderId: string | null;
  readonly symbol: string;
  /** In lower case, whatever case the rows have. */
  readonly side: string | null;
  /** Epoch ms. */
  readonly timestamp: number;
  readonly price: number;
  readonly size: number;
  /** The venue's id of the execution; empty if the fills have none. */
  readonly venueId: string;
  /** How many rows there are, 2 or more. */
  readonly count: number;
  /** Their ids in order, 100 at most. */
  readonly ids: readonly string[];
  /** The first of the ids: the key of the group. */
  readonly firstId: string;
}

const text = (value: unknown): string => String(value);
const computed = <T>(expression: ReturnType<typeof sql>, decode: (value: unknown) => T): Computed<T> => ({
  expression,
  decode,
});

const fields = {
  sessionId: computed<string | null>(sql`max(sessionid)`, text),
  orderId: computed<string | null>(sql`max(orderid)`, text),
  symbol: computed(sql`max(symbol)`, text),
  side: computed<string | null>(sql`max(lower(side))`, text),
  timestamp: computed(sql`max("timestamp")`, Number),
  price: computed(sql`max(price)`, Number),
  size: computed(sql`max(${identityPartOf('size').expression})`, Number),
  venueId: computed(sql`max(${identityPartOf('execId').expression})`, text),
  count: computed(sql`count(*)`, Number),
  ids: computed(sql`to_json((array_agg(id order by id))[1:100])::text`, (value): string[] =>
    JSON.parse(String(value)),
  ),
  firstId: computed(sql`min(id)`, text),
};

const identity = joinSql(identityParts.map(({ expression }) => expression));

const query = defineQuery<{ afterId?: string | undefined; limit: number }, typeof fields>({
  name: 'listDuplicateFills',
  fields,
  statement: (given, columns) => sql`
select ${columns()}
from fills
where row(${identity}) is not null
group by ${identity}
having count(*) > 1 ${given.afterId && sql`and min(id) > ${given.afterId}`}
order by min(id)
limit ${given.limit}`,
});

const startListDuplicateFills = defineCall<OptionsOf<typeof listDuplicateFills>>(
  'listDuplicateFills',
  'replica',
  { limit: true, after: true },
);

/**
 * Groups of fills that the unique index would refuse, by `fillIdentity` itself, in the order of their first ids: what a
 * database without `idx_fills_unique_dedup` has to settle before it can have one. `after: page.at(-1)` gives the next
 * page. No index serves it: each page reads and groups the whole table.
 *
 * @throws {InvalidArgumentError} `limit` or `after` is not what it must be.
 * @throws {DatabaseError}
 * @example
 * for (const { ids, count } of await listDuplicateFills(db)) console.log(`${count} rows are one fill: ${ids.join(', ')}`);
 */
export async function listDuplicateFills(
  db: Database,
  options: CallOptions & {
    /** 1 to 1000 groups, 100 unless given. */
    readonly limit?: number | undefined;
    /** The last group of the page before. */
    readonly after?: Pick<DuplicateFills, 'firstId'> | undefined;
  } = {},
): Promise<DuplicateFills[]> {
  const call = startListDuplicateFills(db, options);
  return query.list(call, {
    afterId: options.after === undefined ? undefined : checkText('after.firstId', options.after?.firstId),
    limit: checkLimit(options.limit),
  });
}
