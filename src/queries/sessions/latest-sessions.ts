import { type SQL, sql } from 'drizzle-orm';
import type { Database } from '../core/database.ts';
import { andPastKey, lowestTime, type SessionKey, toKeyValues } from '../core/keyset.ts';
import { defineQuery, type Given, type Value } from '../core/query.ts';
import { type SessionSummary, sessionFields } from './session-summary.ts';

type Paging = { limit: number; afterMs?: number | undefined; afterId?: string | undefined };
type Filter = Readonly<Record<string, Value | undefined>>;

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

/**
 * "The latest sessions that meet a condition", fast whether nearly all sessions meet it or nearly none, and whatever
 * the planner believes: it knows nothing under a generic plan or of a table that was never analyzed, and its choice for
 * a common value, if applied to a rare one, reads the whole table.
 *
 * First a walk down `idx_sessions_startedat`, in small steps that leave the planner no other plan, for as long as it
 * finds matches often enough. If that fills the page it is the answer. Otherwise few of the newest sessions match: the
 * condition's own index gives all that do, and the newest of those are sorted out. The two are separate statements,
 * because a server plans (and starts parallel workers or a compiler for) both halves of one.
 *
 * What stays slow is a condition that very many sessions meet, but none of the newest: the time goes by their number.
 */
export function defineLatestSessions<F extends Filter>(definition: {
  readonly name: string;
  /** The condition, over the columns of `sessions`; in the second form it is spelled for its index. */
  readonly matches: (given: Given<F & Paging>) => SQL;
  /** The same condition, spelled so that no index serves it. */
  readonly matchesUnindexed: (given: Given<F & Paging>) => SQL;
}): {
  list(db: Database, filter: F, limit: number, after: SessionKey | undefined): Promise<SessionSummary[]>;
} {
  const { name, matches, matchesUnindexed } = definition;

  const walk = defineQuery<F & Paging, typeof sessionFields>({
    name,
    fields: sessionFields,
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
            nullif(min(startedat), ${lowestTime}) as lowest,
            count(*) as visited,
            coalesce(
              array_agg(id order by startedat desc, id desc) filter (where
                ${matches(given)}
                ${given.afterMs && sql`and (startedat < ${given.afterMs}::bigint or id < ${given.afterId})`}
              ), '{}'
            ) as ids
          from (
            select id, startedat, pairs, pair_count, exchange from sessions
            where startedat <= walk.down_to
            order by startedat desc
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
      cross join lateral (select ${columns()} from sessions where sessions.id = found.id limit 1) as s
      order by s.startedat desc, s.id desc
      limit ${given.limit}`,
  });

  const search = defineQuery<F & Paging, typeof sessionFields>({
    name,
    fields: sessionFields,
    // Nulls last is not the order of idx_sessions_startedat read backwards, and the key is no plain column: nothing
    // but the condition's own index is left to the planner, a sequential scan apart. Ids first: to take all columns out
    // of every match would double the time where there are many.
    statement: (given, columns) => sql`
      with found as materialized (
        select id from sessions
        where ${matches(given)}
          ${andPastKey(sql`startedat`, given)}
        order by startedat desc nulls last, id desc
        limit ${given.limit}
      )
      select ${columns('s')}
      from found
      cross join lateral (select ${columns()} from sessions where sessions.id = found.id limit 1) as s
      order by s.startedat desc nulls last, s.id desc`,
  });

  const unstarted = defineQuery<F & Paging, typeof sessionFields>({
    name,
    fields: sessionFields,
    // Sessions that never started are few: `offset 0` keeps the planner from walking the primary key instead.
    statement: (given, columns) => sql`
      select ${columns('s')}
      from (select ${columns()} from sessions where startedat is null and id < ${given.afterId} offset 0) as s
      where ${matchesUnindexed(given)}
      order by id desc
      limit ${given.limit}`,
  });

  return {
    list: async (db, filter, limit, after) => {
      const values = { ...filter, limit, ...toKeyValues('startedAt', after) };
      if (after?.startedAt === null) return unstarted.list(db, values);
      const newest = await walk.list(db, values);
      return newest.length === limit ? newest : search.list(db, values);
    },
  };
}
