import { type SQL, sql } from 'drizzle-orm';
import type { Database } from './database.ts';
import type { Fields, Row } from './fields.ts';
import { andPastKey, lowestTime, toKeyValues } from './keyset.ts';
import {
  type Condition,
  defineUntimed,
  type Filter,
  type KeyOf,
  type Paging,
  type Timeline,
} from './latest-of-all.ts';
import { defineQuery, type Given } from './query.ts';

/** Rows that a step of the walk reads: enough to make its fixed cost small, few enough to stop early. */
const stepRows = 250;
/** Rows that the walk reads before it judges whether the condition is common enough to go on. */
const trialRows = 500;
/**
 * Rows that the walk may read for each match so far. A condition that one session in 100 meets goes on and reads 10,000
 * rows for a page of 100; a rarer one is left to its index, which then gives at most 10,000 of a million. Both take
 * about 8 ms, which is why the line is here.
 */
const rowsPerMatch = 100;

/** A FROM item, and a condition on it. */
type Search = { readonly from: SQL; readonly where: SQL };

/**
 * "The latest rows that meet a condition", fast whether nearly all rows meet it or nearly none, and whatever
 * the planner believes: it knows nothing under a generic plan or of a table that was never analyzed, and its choice for
 * a common value, if applied to a rare one, reads the whole table.
 *
 * First a walk down the index of the time, in small steps that leave the planner no other plan, for as long as it
 * finds matches often enough. If that fills the page it is the answer. Otherwise few of the newest rows match: the
 * condition's own index gives all that do, and the newest of those are sorted out. The two are separate statements,
 * because a server plans (and starts parallel workers or a compiler for) both halves of one.
 *
 * What stays slow is a condition that very many rows meet, but none of the newest: the time goes by their number.
 */
export function defineLatest<V extends Filter, F extends Fields, T extends string>(
  timeline: Timeline<F, T>,
  definition: {
    readonly name: string;
    /** The condition, over the columns of the table. */
    readonly matches: Condition<V>;
    /** What gives the rows that meet it, by their index; the condition itself unless given. */
    readonly search?: (given: Given<V & Paging>) => Search;
    /** The same condition, spelled so that no index serves it. */
    readonly matchesUnindexed: Condition<V>;
  },
): {
  list(db: Database, filter: V, limit: number, after: KeyOf<T> | undefined): Promise<Row<F>[]>;
} {
  const { name, matches, matchesUnindexed } = definition;
  const { search: searched = (given) => ({ from: timeline.table, where: matches(given) }) } = definition;

  const walk = defineWalk<V, F>(name, timeline, matches);
  const search = defineSearch<V, F>(name, timeline, searched);
  const untimed = defineUntimed<V, F>(name, timeline, matchesUnindexed);

  return {
    list: async (db, filter, limit, after) => {
      const values = { ...filter, limit, ...toKeyValues(timeline.timeName, after) };
      if (after?.[timeline.timeName] === null) return untimed.list(db, values);
      const newest = await walk.list(db, values);
      return newest.length === limit ? newest : search.list(db, values);
    },
  };
}

const defineWalk = <V extends Filter, F extends Fields>(
  name: string,
  { table, time, fields, compared }: Timeline<F, string>,
  matches: Condition<V>,
) =>
  defineQuery<V & Paging, F>({
    name,
    fields,
    // Ties come in one step: a step's end is then a time, and the next one starts below it.
    // The last step of all finds nothing, its time is null, and the walk ends.
    statement: (given, columns) => sql`
      with recursive walk (down_to, visited, held, ids) as (
        select ${given.afterMs ?? sql`9223372036854775807`}::bigint, 0::bigint, 0, '{}'::text[]
        union all
        select step.lowest - 1, walk.visited + step.visited, walk.held + cardinality(step.ids), walk.ids || step.ids
        from walk
        cross join lateral (
          select
            nullif(min(${time}), ${lowestTime}) as lowest,
            count(*) as visited,
            coalesce(
              array_agg(id order by ${time} desc, id desc) filter (where
                ${matches(given)}
                ${given.afterMs && sql`and (${time} < ${given.afterMs}::bigint or id < ${given.afterId})`}
              ), '{}'
            ) as ids
          from (
            select ${compared} from ${table}
            where ${time} <= walk.down_to
            order by ${time} desc
            fetch first ${sql.raw(String(stepRows))} rows with ties
          ) as step_rows
        ) as step
        where walk.down_to is not null
          and walk.held < ${given.limit}::integer
          and walk.visited < ${sql.raw(String(trialRows))} + ${sql.raw(String(rowsPerMatch))} * walk.held
      ), found as (
        select unnest(ids) as id
        from (select ids from walk order by cardinality(ids) desc limit 1) as longest
      )
      select ${columns('s')}
      from found
      cross join lateral (select ${columns()} from ${table} where ${table}.id = found.id limit 1) as s
      order by s.${time} desc, s.id desc
      limit ${given.limit}`,
  });

const defineSearch = <V extends Filter, F extends Fields>(
  name: string,
  { table, time, fields }: Timeline<F, string>,
  searched: (given: Given<V & Paging>) => Search,
) =>
  defineQuery<V & Paging, F>({
    name,
    fields,
    // Nulls last is not the order of the time's index read backwards, and the key is no plain column: nothing
    // but the condition's own index is left to the planner, a sequential scan apart. Ids first: to take all columns out
    // of every match would double the time where there are many.
    statement: (given, columns) => {
      const { from, where } = searched(given);
      return sql`
      with found as materialized (
        select id from ${from}
        where ${where}
          ${andPastKey(time, given)}
        order by ${time} desc nulls last, id desc
        limit ${given.limit}
      )
      select ${columns('s')}
      from found
      cross join lateral (select ${columns()} from ${table} where ${table}.id = found.id limit 1) as s
      order by s.${time} desc nulls last, s.id desc`;
    },
  });
