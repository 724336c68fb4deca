import { timeLimits } from '../../connection/limits.ts';
import { formatVersion, majorOf } from '../../connection/units.ts';
import type { Check } from './check.ts';

export const serverVersion: Check = {
  id: 'server-version',
  why: 'the migrations are tested on these versions, and rely on what they have',
  look: async ({ connection, project }) => {
    const major = majorOf(connection.versionNumber);
    const { oldest, newest } = project.versions ?? { oldest: major, newest: major };
    const found = `PostgreSQL ${formatVersion(connection.versionNumber)}`;
    if (major < oldest)
      return { level: 'blocker', found, advice: `Upgrade to PostgreSQL ${oldest} or later first.` };
    if (major > newest) {
      return {
        level: 'warning',
        found: `${found}, newer than any that was tested (${newest})`,
        advice: 'Try it on a copy first.',
      };
    }
    return { level: 'ok', found };
  },
};

export const writable: Check = {
  id: 'writable',
  why: 'a replica, or a session that begins read-only, can’t be migrated',
  look: async ({ connection }) => {
    const [row] = await connection.query<{ replica: boolean; readOnly: boolean }>(
      `select pg_is_in_recovery() as replica,
              (select reset_val = 'on' from pg_settings where name = 'default_transaction_read_only') as "readOnly"`,
    );
    if (row?.replica === true)
      return {
        level: 'blocker',
        found: 'this server is a replica',
        advice: 'Use the URL of the primary.',
      };
    if (row?.readOnly === true) {
      return {
        level: 'blocker',
        found: 'sessions of this role or database begin read-only (default_transaction_read_only)',
        advice: 'Connect as a role that may write, or end the read-only state first.',
      };
    }
    return { level: 'ok', found: 'a primary that takes writes' };
  },
};

export const firingTriggers: Check = {
  id: 'session-replication-role',
  why: 'the trigger fills pairs; in a session that plays a replica no trigger fires',
  look: async ({ connection }) => {
    const [row] = await connection.query<{ role: string }>(
      "select reset_val as role from pg_settings where name = 'session_replication_role'",
    );
    if (row?.role !== 'replica') return { level: 'ok', found: 'triggers fire' };
    return {
      level: 'blocker',
      found: 'sessions of this role or database begin with session_replication_role = replica',
      advice: 'Set it to origin: alter role … (or database …) reset session_replication_role.',
    };
  },
};

/** Beside those that work is ended by: one that ends the session between two statements. */
const limits = [...timeLimits, 'idle_session_timeout'];

interface Limit {
  readonly name: string;
  readonly setting: string;
  readonly origin: string | null;
}

export const timeouts: Check = {
  id: 'statement-timeout',
  why: 'a time limit ends a long build or backfill half way',
  look: async ({ connection }) => {
    // reset_val is what a session begins with; the setting in force here is the limit of this check.
    const rows = await connection.query<Limit>(
      `select s.name, s.reset_val || coalesce(s.unit, '') as setting,
              (select case when r.setrole = 0 then 'database ' || current_database() else 'role ' || session_user end
               from pg_db_role_setting as r
               cross join unnest(r.setconfig) as c (entry)
               where r.setdatabase in (0, (select oid from pg_database where datname = current_database()))
                 and r.setrole in (0, (select oid from pg_roles where rolname = session_user))
                 and split_part(c.entry, '=', 1) = s.name
               order by r.setrole = 0, r.setdatabase = 0
               limit 1) as origin
       from pg_settings as s
       where s.name = any($1::text[]) and s.reset_val <> '0'
       order by s.name`,
      [limits],
    );
    if (rows.length === 0) return { level: 'ok', found: 'no time limits for this role' };
    return {
      level: 'warning',
      found: 'sessions of this role begin with time limits',
      details: rows.map(
        ({ name, setting, origin }) =>
          `${name} = ${setting} (${origin === null ? 'server configuration, PGOPTIONS or URL' : `set for ${origin}`})`,
      ),
      advice:
        'multi-pair-db migrate lifts them for its own session. Whatever else runs the files (drizzle-kit, psql) is limited until a file lifts them itself, and so is pg_dump.',
    };
  },
};
