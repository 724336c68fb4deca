import type { Connection } from '../../connection/connection.ts';
import { formatDuration } from '../../connection/units.ts';
import { type Check, type CheckContext, count } from './check.ts';

interface Standby {
  readonly name: string;
  /** Without pg_read_all_stats nothing is shown but that somebody is connected. */
  readonly isHidden: boolean;
  readonly isSynchronous: boolean;
  readonly replayLagMs: number | null;
  /** How many transactions ago the oldest snapshot on it was taken; null where it sends no feedback. */
  readonly snapshotAge: number | null;
}

/**
 * Senders to servers that replay: a logical one has a slot of its own kind, and a receiver that only stores the log
 * (pg_receivewal) reports nothing replayed. Feedback goes into the slot, where the standby uses one.
 */
const standbysQuery = `
select coalesce(nullif(r.application_name, ''), 'pid ' || r.pid) as name,
       r.state is null as "isHidden", coalesce(r.sync_state in ('sync', 'quorum'), false) as "isSynchronous",
       round(extract(epoch from r.replay_lag) * 1000)::float8 as "replayLagMs",
       age(coalesce(r.backend_xmin, s.xmin))::float8 as "snapshotAge"
from pg_stat_replication as r
left join pg_replication_slots as s on s.active_pid = r.pid
where r.state is distinct from 'backup' and (r.state is null or r.replay_lsn is not null)
  and s.slot_type is distinct from 'logical'
order by 1`;

export const standbys: Check = {
  id: 'standbys',
  why: 'what locks a table against everybody is replayed on a hot standby: it waits for reports there, and every reader behind it, for up to max_standby_streaming_delay; then the reports die',
  look: async (context) => {
    const found = await context.connection.query<Standby>(standbysQuery);
    if (found.length === 0) return { level: 'ok', found: 'no standby replays what is done here' };
    const tables = listLockedTables(context);
    if (tables.length === 0)
      return {
        level: 'ok',
        found: `${count(found.length, 'standby', 'standbys')}; no table will be locked against readers`,
      };
    const waiting = found.some(({ isSynchronous }) => isSynchronous)
      ? await listRemoteApply(context.connection)
      : [];
    return {
      level: 'warning',
      found: `${count(found.length, 'standby', 'standbys')} will replay an ACCESS EXCLUSIVE lock on ${tables.join(' and ')}`,
      details: [...found.map(describeStandby), ...waiting],
      advice: [
        'On each standby: select pid, now() - xact_start, query from pg_stat_activity where xact_start is not null order by 2 desc; let long reports end first, or pause them while 0001 runs.',
        "To let readers there wait for less: alter system set max_standby_streaming_delay = '1s'; select pg_reload_conf(). It ends reports instead.",
        waiting.length > 0
          ? "Writers here: alter system set synchronous_commit = 'on' (and so for the roles named), select pg_reload_conf(), until the migration has ended."
          : '',
      ]
        .filter((text) => text !== '')
        .join(' '),
    };
  },
};

/** Tables that the pending files lock against readers. */
function listLockedTables({ plan }: CheckContext): string[] {
  const facts = (plan?.migrations ?? []).flatMap(({ steps }) => steps.map((step) => step.facts));
  const names = facts.flatMap(({ exclusive = [], locks = [] }) => [
    ...exclusive,
    ...locks.flatMap(({ name, on, mode }) => (on === 'itself' && mode === 'ACCESS EXCLUSIVE' ? [name] : [])),
  ]);
  return [...new Set(names)];
}

function describeStandby({ name, isHidden, isSynchronous, replayLagMs, snapshotAge }: Standby): string {
  if (isHidden) return `not checked: replica ${name}; what it is and does is hidden from this role`;
  const lag = replayLagMs === null ? '' : `, replays ${formatDuration(replayLagMs)} behind`;
  const snapshot =
    snapshotAge === null
      ? 'not checked: what runs on it; it sends no hot_standby_feedback'
      : snapshotAge <= 1
        ? 'by its feedback no snapshot on it is older than the last transaction'
        : `a query on it has a snapshot of ${snapshotAge} transactions ago`;
  return `standby ${name}${isSynchronous ? ' (synchronous)' : ''}${lag}: ${snapshot}`;
}

/** Who commits with remote_apply: by the server's configuration, or by a setting of a role or database. */
async function listRemoteApply(connection: Connection): Promise<string[]> {
  const rows = await connection.query<{ scope: string }>(
    `select 'sessions of this role here' as scope
     from pg_settings
     where name = 'synchronous_commit' and reset_val = 'remote_apply'
     union all
     select concat_ws(' ', 'sessions', 'of role ' || nullif(r.setrole, 0)::regrole, 'in database ' || d.datname)
     from pg_db_role_setting as r
     left join pg_database as d on d.oid = r.setdatabase
     where r.setdatabase in (0, (select oid from pg_database where datname = current_database()))
       and 'synchronous_commit=remote_apply' = any(r.setconfig)`,
  );
  return rows.map(
    ({ scope }) =>
      `synchronous_commit is remote_apply for ${scope}: each of their writers waits until the synchronous standby has replayed the lock`,
  );
}
