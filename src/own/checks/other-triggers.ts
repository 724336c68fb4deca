import { type Check, type CheckContext, count, hasTable, isPending } from '../../migrate/preflight/check.ts';
import { rowRules } from '../row-rules.ts';
import { filledBy } from './new-rows.ts';

/** Tables whose rows 0001 updates. */
const updatedTables: readonly string[] = [
  ...new Set(rowRules.filter(({ migration }) => migration === filledBy).map(({ table }) => table)),
];

interface Other {
  readonly what: string;
  /** Does the backfill fail on it for certain? */
  readonly blocks: boolean;
}

/**
 * Triggers that fire when a column of ours is updated, and rules. Of tgtype: 16 on update, 2 before, 1 for each row. A
 * trigger before the row that returns null leaves the row as it is; its source is all that can be known of it from here.
 * Triggers of one kind fire in the order of their names.
 */
const othersQuery = `
with others as (
  select name, to_regclass(quote_ident(name)) as oid, case when name = 'sessions' then '' else ' on ' || name end as place
  from unnest($1::text[]) as t (name)
)
select format('trigger %I%s runs %s', g.tgname, t.place, g.tgfoid::regproc) || case
         when g.tgtype & 19 <> 19 then ''
         when p.prosrc = 'suppress_redundant_updates_trigger' then
           case when g.tgname < 'trg_sessions_sync_pairs'
             then ', before the trigger that fills pairs: where pairs are there and empty, it takes the backfill for an update that changes nothing' else '' end
         when p.prosrc ~* '\\mreturn\\s+(null|old)\\M' then ', whose source returns null or the old row: such a row stays as it is'
         else ', before the row is stored: it may change the row, or leave it as it is'
       end as what,
       false as blocks
from others as t
join pg_trigger as g on g.tgrelid = t.oid
join pg_proc as p on p.oid = g.tgfoid
where not g.tgisinternal and g.tgenabled in ('O', 'A') and g.tgtype & 16 <> 0 and not g.tgname = any($2::name[])
  and (g.tgattr::text = '' or exists (
    select from pg_attribute as a
    where a.attrelid = t.oid and a.attnum = any(g.tgattr) and a.attname in ('pairs', 'pair_count', 'pair_index')))
union all
select format('rule %I%s%s', r.rulename, t.place, case
         when r.is_instead then ', which does something else instead of the update'
         when pg_get_ruledef(r.oid) !~ ' DO NOTHING;$' then ', which does something else beside the update'
       end),
       r.is_instead or (t.name = 'sessions' and pg_get_ruledef(r.oid) !~ ' DO NOTHING;$')
from others as t
join pg_rewrite as r on r.ev_class = t.oid
where r.ev_type = '2' and r.ev_enabled in ('O', 'A')`;

export const otherTriggers: Check = {
  id: 'triggers-of-others',
  why: 'the backfill updates each session once: whatever else hangs on an update of it runs as often, and may undo it',
  look: async (context) => {
    if (!hasTable(context, 'sessions')) return { level: 'skipped', found: 'there is no table sessions yet' };
    const others = await listOthers(context);
    if (others.length === 0) return { level: 'ok', found: 'nothing of others runs on an update of sessions' };
    const blocks = others.some((other) => other.blocks) && isPending(context, filledBy);
    const level = blocks ? 'blocker' : context.history.pending.length === 0 ? 'ok' : 'warning';
    return {
      level,
      found: `${count(others.length, 'trigger or rule', 'triggers or rules')} of others on updates of ${updatedTables.join(' and ')}`,
      details: others.map(({ what }) => what),
      advice: `Read what it does. One that stamps a column would stamp every session: disable it for the backfill, or let it look at the columns that changed. One that returns null leaves a session unfilled, which ends 0001 in an error that says so.${
        blocks
          ? ' 0001 can’t run over such a rule: drop it, or disable it meanwhile (alter table … disable rule …).'
          : ''
      }`,
    };
  },
};

function listOthers({ connection, expected }: CheckContext): Promise<Other[]> {
  const known = expected.filter(({ kind }) => kind === 'trigger').map(({ name }) => name);
  return connection.query<Other>(othersQuery, [updatedTables, known]);
}
