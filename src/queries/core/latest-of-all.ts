import { type SQL, sql } from 'drizzle-orm';
import type { Database } from './database.ts';
import type { Fields, Row } from './fields.ts';
import { lowestTime, toKeyValues } from './keyset.ts';
import { defineQuery, type Given, type Value } from './query.ts';

export type Paging = { limit: number; afterMs?: number | undefined; afterId?: string | undefined };
export type Filter = Readonly<Record<string, Value | undefined>>;

/** A table whose rows have a time, with an index, and an id. */
export interface Timeline<F extends Fields, T extends string> {
  readonly table: SQL;
  /** The column of the time, and its name in a row. */
  readonly time: SQL;
  readonly timeName: T;
  /** What is given of a row. */
  readonly fields: F;
  /** The columns that conditions read. */
  readonly compared: SQL;
}

/** A condition over the columns of a table. */
export type Condition<V extends Filter> = (given: Given<V & Paging>) => SQL;
/** The key of a row. */
export type KeyOf<T extends string> = { readonly [K in T]: number | null } & { readonly id: string };

/** The latest rows of all, or those from an instant on. The rows without a time come last, where none is asked for. */
export function defineLatestOfAll<F extends Fields, T extends string>(
  { table, time, timeName, fields }: Omit<Timeline<F, T>, 'compared'>,
  name: string,
): {
  list(
    db: Database,
    fromMs: number | undefined,
    limit: number,
    after: KeyOf<T> | undefined,
  ): Promise<Row<F>[]>;
} {
  const timed = defineQuery<Paging & { fromMs?: number | undefined }, F>({
    name,
    fields,
    statement: (given, columns) => sql`
      select ${columns()} from ${table}
      where ${time} >= ${given.fromMs ?? lowestTime}::bigint
        ${
          given.afterMs &&
          sql`and ${time} <= ${given.afterMs}::bigint and (${time}, id) < (${given.afterMs}::bigint, ${given.afterId}::text)`
        }
      order by ${time} desc, id desc
      limit ${given.limit}`,
  });
  const untimed = defineUntimed<Record<never, never>, F>(name, { table, time, fields }, () => sql`true`);

  return {
    list: async (db, fromMs, limit, after) => {
      const key = toKeyValues(timeName, after);
      const isPastTimes = after?.[timeName] === null;
      const newest = isPastTimes ? [] : await timed.list(db, { fromMs, limit, ...key });
      if (newest.length === limit || fromMs !== undefined) return newest;
      const rest = { limit: limit - newest.length, afterId: isPastTimes ? key.afterId : undefined };
      return [...newest, ...(await untimed.list(db, rest))];
    },
  };
}

/** The rows without a time, of which there are few: `offset 0` keeps the planner from walking the primary key instead. */
export const defineUntimed = <V extends Filter, F extends Fields>(
  name: string,
  { table, time, fields }: Pick<Timeline<F, string>, 'table' | 'time' | 'fields'>,
  matches: Condition<V>,
) =>
  defineQuery<V & Paging, F>({
    name,
    fields,
    statement: (given, columns) => sql`
      select ${columns('s')}
      from (select ${columns()} from ${table} where ${time} is null ${given.afterId && sql`and id < ${given.afterId}`} offset 0) as s
      where ${matches(given)}
      order by id desc
      limit ${given.limit}`,
  });
