import type { Connection } from '../../connection/connection.ts';

/** How far the write-ahead log was written at an instant, by the server's clock. */
export interface ReplayMark {
  readonly position: string;
  readonly atMs: number;
}

/** The standby that is furthest behind. */
export interface StandbySight {
  readonly standby: string;
  /** For so long it has not replayed what was written here. */
  readonly lagMs: number;
  /** Since then. */
  readonly sinceMs: number;
  /** For the next look. */
  readonly mark: ReplayMark;
}

/**
 * How late the connected standbys are; undefined where there is none, or this role may not see it. As `reason_to_rest` in the
 * frame asks: not the subscribers of a logical slot, who confirm when it suits them. How late a standby is that replays
 * nothing, `replay_lag` does not say: hence the mark, which is of the last look.
 */
export async function lookAtStandbys(
  session: Connection,
  mark: ReplayMark | undefined,
): Promise<StandbySight | undefined> {
  const [row] = await session.query<LagRow>(lagSql, [mark?.position ?? '0/0']);
  if (row === undefined) return undefined;
  const { standby, nowMs, written, isReplayed, replayLagMs } = row;
  const next = mark !== undefined && !isReplayed ? mark : { position: written, atMs: nowMs };
  const lagMs = Math.max(0, nowMs - next.atMs, replayLagMs ?? 0);
  return { standby, lagMs, sinceMs: nowMs - lagMs, mark: next };
}

interface LagRow {
  readonly standby: string;
  readonly nowMs: number;
  readonly written: string;
  readonly isReplayed: boolean;
  /** Of the last that it has replayed; null where nothing is left to replay. */
  readonly replayLagMs: number | null;
}

const lagSql = `
select s.name as standby, (extract(epoch from clock_timestamp()) * 1000)::float8 as "nowMs",
       pg_current_wal_lsn()::text as written, s.replay_lsn >= $1::text::pg_lsn as "isReplayed",
       case when s.replay_lsn < pg_current_wal_lsn() then (extract(epoch from s.replay_lag) * 1000)::float8 end as "replayLagMs"
from (
  select min(r.replay_lsn) as replay_lsn, max(r.replay_lag) as replay_lag,
         (array_agg(coalesce(nullif(r.application_name, ''), 'unknown') order by r.replay_lsn))[1] as name
  from pg_stat_replication as r
  where r.state in ('catchup', 'streaming') and r.replay_lsn is not null
    and not exists (select from pg_replication_slots as l where l.active_pid = r.pid and l.slot_type = 'logical')
) as s
where s.replay_lsn is not null and not pg_is_in_recovery()`;
