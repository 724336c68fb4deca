import { type Check, count } from './check.ts';

interface Subscription {
  readonly name: string;
  readonly enabled: boolean;
  readonly written: string;
}

export const subscriptions: Check = {
  id: 'subscriptions',
  why: 'rows that a subscription writes pass no service: its worker stops at the first row that a new unique index refuses, and waits for ALTER TABLE like any writer',
  look: async ({ connection, tables, history }) => {
    const rows = await connection.query<Subscription>(
      `select s.subname::text as name, s.subenabled as enabled, string_agg(t.name, ', ' order by t.name) as written
       from pg_subscription as s
       join pg_subscription_rel as r on r.srsubid = s.oid
       join unnest($1::text[]) as t (name) on r.srrelid = to_regclass(quote_ident(t.name))
       where s.subdbid = (select oid from pg_database where datname = current_database())
       group by s.subname, s.subenabled
       order by s.subname`,
      [tables],
    );
    const silent = await connection.query<{ what: string }>(
      `select format('trigger %I on %s does not fire for rows of a subscription', g.tgname, t.name) as what
       from unnest($1::text[]) as t (name)
       join pg_trigger as g on g.tgrelid = to_regclass(quote_ident(t.name))
       where not g.tgisinternal and g.tgenabled in ('O', 'D')
       order by 1`,
      [tables],
    );
    if (rows.length === 0) return { level: 'ok', found: 'no subscription writes these tables' };
    const details = rows.map(
      ({ name, enabled, written }) =>
        `subscription ${name} writes ${written}${enabled ? '' : '; it is disabled'}`,
    );
    return {
      level: history.pending.length === 0 ? 'ok' : 'warning',
      found: `${count(rows.length, 'subscription')} writing these tables`,
      details: [...details, ...silent.map(({ what }) => what)],
      advice:
        'Migrate this database before its publisher: the publisher may send what has no column here. Look for duplicate fills on the publisher, too; while the files run, alter subscription … disable keeps its worker out of the way.',
    };
  },
};
