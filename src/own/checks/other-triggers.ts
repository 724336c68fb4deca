import { type Check, count, hasTable } from '../../migrate/preflight/check.ts';

export const otherTriggers: Check = {
  id: 'triggers-of-others',
  why: 'the backfill updates each session once: whatever else hangs on an update of sessions runs as often',
  look: async (context) => {
    if (!hasTable(context, 'sessions')) return { level: 'skipped', found: 'there is no table sessions yet' };
    const known = context.expected.filter(({ kind }) => kind === 'trigger').map(({ name }) => name);
    // Bit 16 of tgtype: fires on UPDATE.
    const rows = await context.connection.query<{ what: string }>(
      `select format('trigger %I runs %s', t.tgname, t.tgfoid::regproc) as what
       from pg_trigger as t
       where t.tgrelid = to_regclass('sessions') and not t.tgisinternal and t.tgenabled <> 'D'
         and t.tgtype & 16 <> 0 and not t.tgname = any($1::text[])
       union all
       select format('rule %I', r.rulename)
       from pg_rewrite as r
       where r.ev_class = to_regclass('sessions') and r.ev_type = '2' and r.ev_enabled <> 'D'`,
      [known],
    );
    if (rows.length === 0) return { level: 'ok', found: 'nothing of others runs on an update of sessions' };
    return {
      level: context.history.pending.length === 0 ? 'ok' : 'warning',
      found: `${count(rows.length, 'trigger or rule', 'triggers or rules')} of others on updates of sessions`,
      details: rows.map(({ what }) => what),
      advice:
        'Read what it does. One that stamps a column would stamp every session: disable it for the backfill, or let it look at the columns that changed.',
    };
  },
};
