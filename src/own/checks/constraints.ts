import { attempt } from '../../connection/read-only.ts';
import { type Check, type CheckContext, count, hasTable, isPending } from '../../migrate/preflight/check.ts';
import { filledBy, sessionsAfter, updatedRows } from './new-rows.ts';

const sampleSize = 5;

interface Rule {
  readonly table: 'sessions' | 'orders';
  readonly name: string;
  /** A predicate; or the keys of a unique index, and the rows that it holds. */
  readonly expression: string;
  readonly kind: 'check' | 'unique' | 'exclusion';
  readonly condition: string | null;
  readonly nullsDistinct: boolean;
}

/**
 * Rules of others that an update of 0001 can break: those that are not validated are asked of an old row when it is
 * updated, whatever changes in it; of the others, those that name a column that is filled.
 */
const rulesQuery = `
select t.name as "table", c.conname::text as name, null as condition, true as "nullsDistinct",
       case c.contype when 'x' then 'exclusion' else 'check' end as kind,
       case c.contype when 'c' then pg_get_expr(c.conbin, c.conrelid)
                      when 'n' then (select quote_ident(a.attname) from pg_attribute as a
                                     where a.attrelid = c.conrelid and a.attnum = c.conkey[1]) || ' is not null'
                      else pg_get_constraintdef(c.oid) end as expression
from unnest('{sessions,orders}'::text[]) as t (name)
join pg_constraint as c on c.conrelid = to_regclass(t.name)
where c.contype in ('c', 'n', 'x') and not c.conname = any($1::text[])
  and to_jsonb(c) ->> 'conenforced' is distinct from 'false'
  and (not c.convalidated
    or (t.name = 'sessions' and pg_get_constraintdef(c.oid) ~ '\\m(pairs|pair_count)\\M'))
union all
select 'sessions', i.indexrelid::regclass::text, pg_get_expr(i.indpred, i.indrelid),
       coalesce(to_jsonb(i) ->> 'indnullsnotdistinct', 'false') = 'false', 'unique',
       (select string_agg(format('(%s)', pg_get_indexdef(i.indexrelid, k, true)), ', ' order by k)
        from generate_series(1, i.indnkeyatts) as k)
from pg_index as i
where i.indrelid = to_regclass('sessions') and i.indisunique and i.indislive
  and pg_get_indexdef(i.indexrelid) ~ ' USING .*\\m(pairs|pair_count)\\M'
order by 1, 2`;

export const constraints: Check = {
  id: 'constraints-of-others',
  why: 'a row that is updated has to pass every constraint, also one that was added NOT VALID: 0001 would end half way',
  look: async (context) => {
    if (!isPending(context, filledBy) || !hasTable(context, 'sessions') || !hasTable(context, 'orders'))
      return { level: 'skipped', found: 'no row is about to be updated' };
    const rules = await context.connection.query<Rule>(rulesQuery, [
      context.expected.filter(({ kind }) => kind === 'constraint').map(({ name }) => name),
    ]);
    const broken: string[] = [];
    const unknown: string[] = [];
    for (const rule of rules) {
      const outcome = await attempt(context.scope, () => describeBroken(context, rule));
      if ('reason' in outcome) unknown.push(`not checked: ${rule.name} of ${rule.table}: ${outcome.reason}`);
      else if (rule.kind === 'exclusion')
        unknown.push(`not checked: ${rule.name} of ${rule.table}: ${rule.expression}`);
      else broken.push(...outcome.result);
    }
    if (broken.length + unknown.length === 0)
      return { level: 'ok', found: 'every row that will be updated passes the constraints of others' };
    return {
      level: broken.length > 0 ? 'blocker' : 'warning',
      found: `${count(broken.length, 'constraint')} of others that rows to be updated break`,
      details: [...broken, ...unknown],
      advice:
        'Repair these rows; or drop the constraint, and add it again NOT VALID when the migration has ended: alter table … drop constraint …',
    };
  },
};

async function describeBroken(context: CheckContext, rule: Rule): Promise<string[]> {
  if (rule.kind === 'exclusion') return [];
  const { table, name, expression } = rule;
  const rows = rule.kind === 'unique' ? duplicates(context, rule) : refused(context, rule);
  const [row] = await context.connection.query<{ broken: number }>(`select count(*) as broken from ${rows}`);
  const broken = row?.broken ?? 0;
  if (broken === 0) return [];
  const sample = await context.connection.query<{ id: string }>(
    `select id::text from ${rows} order by 1 limit ${sampleSize}`,
  );
  const ids = sample.map(({ id }) => id).join(', ');
  const verb =
    rule.kind === 'unique' ? 'would be there more than once in the unique index' : 'would be refused by';
  return [
    `${count(broken, `row`)} of ${table} ${verb} ${name} (${expression}): ${ids}${broken > sample.length ? ', …' : ''}`,
  ];
}

const refused = (context: CheckContext, { table, expression }: Rule): string =>
  table === 'sessions'
    ? `${sessionsAfter(context, 'updated')} where (${expression}) is false`
    : `orders where (${updatedRows(context, 'orders')}) and (${expression}) is false`;

/** Rows whose key another one has, too. */
function duplicates(context: CheckContext, { expression, condition, nullsDistinct }: Rule): string {
  const isHeld = condition === null ? 'true' : condition;
  const isComparable = nullsDistinct ? `num_nulls(${expression}) = 0` : 'true';
  return `(
    select id, count(*) over (partition by ${expression}) as copies
    from ${sessionsAfter(context, 'every row')}
    where (${isHeld}) and ${isComparable}
  ) as twins where copies > 1`;
}
