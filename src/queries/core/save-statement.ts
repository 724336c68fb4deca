import { type SQL, sql } from 'drizzle-orm';
import { joinNames, joinSql, nameSql } from './join-sql.ts';
import { defineQuery, type Query } from './query.ts';
import { rowsOf } from './row-arrays.ts';
import type { InputColumn } from './row-encoder.ts';
import type { SavedRow } from './saved-rows.ts';

/** Which columns a row gives, a bit a column: what it leaves out is not touched. */
export const givenBits = { name: 'given columns', type: 'varbit' } as const;

const outcomes: readonly string[] = [
  'inserted',
  'updated',
  'unchanged',
  'stale',
] satisfies SavedRow['outcome'][];
const isOutcome = (text: string): text is SavedRow['outcome'] => outcomes.includes(text);

const resultFields = {
  id: { expression: sql`id`, decode: String },
  outcome: {
    expression: sql`outcome`,
    decode: (value: unknown): SavedRow['outcome'] => {
      const text = String(value);
      if (!isOutcome(text)) throw new TypeError(`no row is ${text}`);
      return text;
    },
  },
};

/** What is saved, and where. */
export interface SaveTarget {
  /** The function. */
  readonly name: string;
  readonly table: SQL;
  readonly columns: readonly InputColumn[];
  /** The column that says when a row was updated. */
  readonly lastUpdated: InputColumn;
  /** Columns that no row gives and that are null in a new one, instead of their default. */
  readonly nullWhenNew?: readonly string[];
  /** How a column is told to be another, where `is distinct from` would not do: over the aliases of input and stored row. */
  readonly differs?: Readonly<Record<string, SQL>>;
}

/**
 * Saves one batch, whose rows are sorted by id, and says what became of each. The rows that are to change are locked in
 * that order, and compared once more when they are held: what another transaction has made newer meanwhile is left as it
 * is. Such a row, and one that was inserted meanwhile, comes back unexplained, and is sent once more.
 *
 * New rows are inserted when all locks are held. Who inserts waits for nobody but who inserts, and in the same order.
 */
export function defineSaveStatement(target: SaveTarget): Query<Record<string, string>, typeof resultFields> {
  return defineQuery<Record<string, string>, typeof resultFields>({
    name: target.name,
    fields: resultFields,
    statement: (given, results) => {
      const { table, nullWhenNew = [] } = target;
      const sent = target.columns.filter((column) => given[column.name] !== undefined);
      const { isStale, isOther, assigned } = comparisonsOf(target, sent);
      const input = [...sent, givenBits, { name: 'ordinal' }];
      return sql`
    with compared as materialized (
      select ${joinNames(input, 'i')}, s.id is null as is_new, ${isStale} as is_stale, ${isOther} as is_other
      from ${rowsOf([...sent, givenBits], given, 'i')}
      left join ${table} as s on s.id = i.id
    ), held as materialized (
      select ${joinNames(input, 'i')}
      from compared as i
      join ${table} as s on s.id = i.id
      where not ${isStale} and ${isOther}
      order by i.ordinal
      for no key update of s
    ), updated as (
      update ${table} as s
      set ${joinSql(assigned)}
      from held as i
      where s.id = i.id
      returning s.id
    ), inserted as (
      insert into ${table} (${joinNames([...sent, ...nullWhenNew.map((name) => ({ name }))])})
      select ${joinSql([joinNames(sent), ...nullWhenNew.map(() => sql`null`)])}
      from compared
      where is_new and (select count(*) from held) >= 0
      order by ordinal
      on conflict (id) do nothing
      returning id
    )
    select ${results()} from (
      select id, 'inserted' as outcome from inserted
      union all
      select id, 'updated' from updated
      union all
      select id, case when is_stale then 'stale' else 'unchanged' end
      from compared where not is_new and (is_stale or not is_other)
    ) as saved`;
    },
  });
}

/** The input `i` compared with the stored row `s`, and what is stored in its place. */
function comparisonsOf({ lastUpdated, differs = {} }: SaveTarget, sent: readonly InputColumn[]) {
  const changeable = sent
    .filter(({ key }) => key !== 'id')
    .map((column) => ({
      ...column,
      isGiven: sql`get_bit(i.${nameSql(givenBits.name)}, ${sql.raw(String(column.at))}) = 1`,
      input: nameSql(column.name, 'i'),
      stored: nameSql(column.name, 's'),
    }));
  const differences = changeable.map(
    ({ key, isGiven, input, stored }) =>
      sql`(${isGiven} and ${differs[key] ?? sql`${input} is distinct from ${stored}`})`,
  );
  const stamp = lastUpdated.name;
  return {
    isStale: sql`coalesce(${nameSql(stamp, 'i')} < ${nameSql(stamp, 's')}, false)`,
    isOther: sql`(${joinSql(differences, sql` or `)})`,
    assigned: changeable.map(
      ({ name, isGiven, input, stored }) =>
        sql`${nameSql(name)} = case when ${isGiven} then ${input} else ${stored} end`,
    ),
  };
}
