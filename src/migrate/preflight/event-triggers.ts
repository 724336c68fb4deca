import { type Check, count } from './check.ts';

interface EventTrigger {
  readonly what: string;
  /** Does its source raise an exception, or can nobody read it? */
  readonly mayRefuse: boolean;
}

export const eventTriggers: Check = {
  id: 'event-triggers',
  why: 'an event trigger runs on each CREATE, ALTER and DROP of the migrations: it may refuse them, or write down what they do',
  look: async ({ connection, history }) => {
    const rows = await connection.query<EventTrigger>(
      `select format('event trigger %I (%s%s) runs %s', e.evtname, e.evtevent,
                     coalesce(': ' || array_to_string(e.evttags, ', '), ''), e.evtfoid::regproc) as what,
              l.lanname not in ('plpgsql', 'sql') or p.prosrc ~* '\\mraise\\s+(exception|sqlstate)|\\mraise\\s+''' as "mayRefuse"
       from pg_event_trigger as e
       join pg_proc as p on p.oid = e.evtfoid
       join pg_language as l on l.oid = p.prolang
       where e.evtenabled in ('O', 'A') and e.evtevent <> 'login'
         and (e.evttags is null or e.evttags && $1::text[])
       order by e.evtname`,
      [tags],
    );
    if (rows.length === 0) return { level: 'ok', found: 'no event trigger runs on what the migrations do' };
    const names = rows.map(({ what }) => what);
    const refusing = rows.filter(({ mayRefuse }) => mayRefuse);
    if (refusing.length === 0 || history.pending.length === 0)
      return { level: 'ok', found: `${count(rows.length, 'event trigger')}: ${names.join('; ')}` };
    return {
      level: 'warning',
      found: `${count(refusing.length, 'event trigger')} may refuse what the migrations do`,
      details: names,
      advice:
        'Read what it does; where it refuses, let a superuser disable it for the migration: alter event trigger … disable.',
    };
  },
};

/** What the migrations run, as PostgreSQL tags it. */
const tags = [
  'ALTER FUNCTION',
  'ALTER INDEX',
  'ALTER PROCEDURE',
  'ALTER ROUTINE',
  'ALTER SCHEMA',
  'ALTER TABLE',
  'COMMENT',
  'CREATE FUNCTION',
  'CREATE INDEX',
  'CREATE PROCEDURE',
  'CREATE SCHEMA',
  'CREATE SEQUENCE',
  'CREATE TABLE',
  'CREATE TRIGGER',
  'DROP FUNCTION',
  'DROP INDEX',
  'DROP TABLE',
  'DROP TRIGGER',
];
