import type { Connection } from '../../connection/connection.ts';
import { formatBytes, formatDuration } from '../../connection/units.ts';
import { type Check, count } from './check.ts';

/** What a healthy replica is behind by, at most. */
const lagBytes = 16 * 1024 * 1024;
const lagMs = 10_000;

export const replication: Check = {
  id: 'replication',
  why: 'builds and backfill write much WAL at once: replicas fall behind, and what a slot retains fills the disk',
  look: async ({ connection, tables }) => {
    const replicas = await listReplicas(connection);
    const slots = await listIdleSlots(connection);
    const publications = await listPublications(connection, tables);
    const details = [...replicas.late, ...slots, ...publications.map(describePublication)];
    if (details.length === 0) {
      return {
        level: 'ok',
        // What a hot standby's readers will feel is told among the standbys.
        found: replicas.number === 0 ? 'no replicas' : `${count(replicas.number, 'replica')}, not behind`,
      };
    }
    return {
      level: 'warning',
      found: 'replicas, slots or subscribers need a look first',
      details,
      advice: [
        replicas.late.length > 0 ? 'Wait until the replicas have caught up.' : '',
        slots.length > 0
          ? 'Bring the consumer of the slot back, or drop it: select pg_drop_replication_slot(name).'
          : '',
        publications.length > 0
          ? 'Logical replication carries rows and no DDL: migrate the subscriber first, or it stops at the first row with new columns.'
          : '',
        publications.some(({ isForAll }) => isForAll)
          ? 'Publish “for tables in schema …” instead of all tables: a subscriber stops at the first row of a table that it lacks, as those that a rollback or dedupe makes in multi_pair_db.'
          : '',
      ]
        .filter((text) => text !== '')
        .join(' '),
    };
  },
};

interface Replica {
  readonly name: string;
  readonly state: string | null;
  readonly behindBytes: number | null;
  readonly behindMs: number | null;
}

async function listReplicas(connection: Connection): Promise<{ number: number; late: string[] }> {
  // A base backup is a sender, too, but it replays nothing. WAL positions are those of a primary.
  const rows = await connection.query<Replica>(
    `select coalesce(nullif(application_name, ''), 'pid ' || pid) as name, state,
            case when not pg_is_in_recovery()
              then pg_wal_lsn_diff(pg_current_wal_lsn(), coalesce(replay_lsn, flush_lsn, write_lsn, sent_lsn))::float8 end as "behindBytes",
            round(extract(epoch from replay_lag) * 1000)::float8 as "behindMs"
     from pg_stat_replication
     where state is distinct from 'backup'
     order by 1`,
  );
  const late = rows.flatMap(({ name, state, behindBytes, behindMs }) => {
    if (state === null)
      return [`not checked: replica ${name}; how far it is behind is hidden from this role`];
    if ((behindBytes ?? 0) <= lagBytes && (behindMs ?? 0) <= lagMs) return [];
    return [
      `replica ${name} (${state}) is ${formatBytes(behindBytes ?? 0)}${behindMs === null ? '' : `, ${formatDuration(behindMs)}`} behind`,
    ];
  });
  return { number: rows.length, late };
}

async function listIdleSlots(connection: Connection): Promise<string[]> {
  const rows = await connection.query<{ name: string; retainedBytes: number }>(
    `select slot_name::text as name,
            pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::float8 as "retainedBytes"
     from pg_replication_slots
     where not active and restart_lsn is not null and not pg_is_in_recovery()
     order by slot_name`,
  );
  return rows.map(
    ({ name, retainedBytes }) =>
      `slot ${name} has no consumer and retains ${formatBytes(retainedBytes)} of WAL`,
  );
}

interface Publication {
  readonly name: string;
  readonly published: string;
  /** Tables of which it sends some columns only. */
  readonly listed: string | null;
  readonly isForAll: boolean;
}

const listPublications = (connection: Connection, tables: readonly string[]): Promise<Publication[]> =>
  connection.query<Publication>(
    `select p.pubname::text as name, string_agg(p.tablename::text, ', ' order by p.tablename) as published,
            (select string_agg(r.prrelid::regclass::text, ', ' order by r.prrelid::regclass::text)
             from pg_publication as own join pg_publication_rel as r on r.prpubid = own.oid and r.prattrs is not null
             where own.pubname = p.pubname
               and r.prrelid in (select to_regclass(quote_ident(name)) from unnest($1::text[]) as name)) as listed,
            (select own.puballtables from pg_publication as own where own.pubname = p.pubname) as "isForAll"
     from pg_publication_tables as p
     join unnest($1::text[]) as t (name)
       on to_regclass(quote_ident(t.name)) = to_regclass(format('%I.%I', p.schemaname, p.tablename))
     group by p.pubname
     order by p.pubname`,
    [tables],
  );

const describePublication = ({ name, published, listed, isForAll }: Publication): string =>
  [
    `publication ${name} sends ${published} to logical subscribers`,
    ...(listed === null
      ? []
      : [`of ${listed} only the columns that it lists: add the new ones, or subscribers never get them`]),
    ...(isForAll ? ['and every other table, also one that is made later'] : []),
  ].join('; ');
