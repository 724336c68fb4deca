import type { Connection } from '../../connection/connection.ts';
import { OperationError } from '../../connection/errors.ts';
import { isBeingBuilt } from '../../migrate/catalog/building.ts';
import { readOwnTables } from '../../own/tables.ts';

/** An index of the three tables, as the catalog and the statistics know it. Times are epoch milliseconds. */
export interface IndexFacts {
  readonly index: string;
  readonly table: string;
  readonly sizeBytes: number;
  /** Times it was used since `countedSinceMs`; on this server only, replicas count for themselves. */
  readonly scans: number;
  /** Its last use; null before PostgreSQL 16, and where it was never used. */
  readonly lastScanMs: number | null;
  /** When the statistics were last reset; null: never, they count from the beginning. */
  readonly countedSinceMs: number | null;
  readonly valid: boolean;
  /** A live backend is building it right now. */
  readonly building: boolean;
  readonly unique: boolean;
  /** It serves a constraint (a primary key, …). */
  readonly constraint: boolean;
  readonly method: string;
  /** As `pg_get_indexdef` words it. */
  readonly definition: string;
  /** Each key column with its operator class, collation and order, in words that are equal if they mean the same. */
  readonly keys: readonly string[];
  /** Columns that it carries beside its keys. */
  readonly included: readonly string[];
  readonly predicate: string | null;
  /** Share of its pages that a rebuild would give back, 0 to 1; null where it can't be estimated. */
  readonly bloat: number | null;
  readonly tableFacts: TableFacts;
}

/** When its table was last looked after. Times are epoch milliseconds. */
export interface TableFacts {
  /** By hand or by autovacuum; null: never since the statistics were reset. */
  readonly vacuumedMs: number | null;
  readonly analyzedMs: number | null;
  /** Live rows, as the statistics estimate them. */
  readonly rows: number;
  readonly deadRows: number;
}

const toMs = (expression: string): string => `round(extract(epoch from ${expression}) * 1000)::float8`;

/**
 * Bloat of B-trees by size: pages that are there against pages that the rows need at the index's fill factor, from the
 * average widths in pg_stats. The formula is ioguix' (https://github.com/ioguix/pgsql-bloat-estimation, btree, BSD-2):
 * 24 bytes of page header and 16 at its end; for an entry 4 of line pointer and 8 of header (4 more for a null
 * bitmap), the columns, rounded up to 8. It leaves deduplicated keys (PostgreSQL 13+) out of account, so an index with
 * many equal keys has more bloat than it says.
 */
const bloat = `
  select s.indexrelid,
         case when bool_and(w.width is not null) and c.relpages > 1 and c.reltuples > 0 then
           greatest(0, 1 - (1 + ceil(c.reltuples * (
             4 + (ceil((8 + case when max(w.nulls) > 0 then 4 else 0 end + sum(w.width)) / 8.0) * 8)
           ) * 100 / (f.factor * (current_setting('block_size')::int - 24 - 16)))) / c.relpages)
         end::float8 as share
  from pg_index as s
  join pg_class as c on c.oid = s.indexrelid
  join pg_class as t on t.oid = s.indrelid
  join pg_namespace as n on n.oid = t.relnamespace
  join pg_am as am on am.oid = c.relam and am.amname = 'btree'
  cross join lateral (
    select coalesce((select option_value::int from pg_options_to_table(c.reloptions) where option_name = 'fillfactor'), 90) as factor
  ) as f
  join pg_attribute as a on a.attrelid = c.oid
  left join lateral (
    select p.avg_width * (1 - p.null_frac) as width, p.null_frac as nulls
    from pg_stats as p
    -- An expression has statistics under the index's own name, a column under its table's.
    where p.schemaname = n.nspname
      and ((s.indkey[a.attnum - 1] = 0 and p.tablename = c.relname and p.attname = a.attname)
        or (s.indkey[a.attnum - 1] <> 0 and p.tablename = t.relname and p.attname = (
          select k.attname from pg_attribute as k where k.attrelid = t.oid and k.attnum = s.indkey[a.attnum - 1])))
  ) as w on true
  group by s.indexrelid, c.relpages, c.reltuples, f.factor`;

const listing = (versionNumber: number): string => `
  with bloat as (${bloat})
  select c.relname as index,
         t.relname as table,
         pg_relation_size(c.oid)::float8 as "sizeBytes",
         coalesce(u.idx_scan, 0) as scans,
         ${versionNumber >= 160_000 ? toMs('u.last_idx_scan') : 'null::float8'} as "lastScanMs",
         ${toMs('(select stats_reset from pg_stat_database where datname = current_database())')} as "countedSinceMs",
         x.indisvalid and x.indisready and x.indislive as valid,
         ${isBeingBuilt('c.oid')} as building,
         x.indisunique as unique,
         exists (select from pg_constraint as k where k.conindid = c.oid and k.contype in ('p', 'u', 'x')) as constraint,
         am.amname as method,
         pg_get_indexdef(c.oid) as definition,
         array(
           select concat_ws(' ', pg_get_indexdef(c.oid, k, true), x.indclass[k - 1]::text, x.indcollation[k - 1]::text, x.indoption[k - 1]::text)
           from generate_series(1, x.indnkeyatts::int) as k order by k
         ) as keys,
         array(
           select pg_get_indexdef(c.oid, k, true) from generate_series(x.indnkeyatts + 1, x.indnatts::int) as k order by k
         ) as included,
         pg_get_expr(x.indpred, x.indrelid) as predicate,
         bloat.share as bloat,
         ${toMs('greatest(tu.last_vacuum, tu.last_autovacuum)')} as "vacuumedMs",
         ${toMs('greatest(tu.last_analyze, tu.last_autoanalyze)')} as "analyzedMs",
         coalesce(tu.n_live_tup, 0) as rows,
         coalesce(tu.n_dead_tup, 0) as "deadRows"
  from unnest($1::text[]) as wanted (name)
  join pg_class as t on t.oid = to_regclass(wanted.name)
  join pg_index as x on x.indrelid = t.oid
  join pg_class as c on c.oid = x.indexrelid
  join pg_am as am on am.oid = c.relam
  left join pg_stat_user_indexes as u on u.indexrelid = c.oid
  left join pg_stat_user_tables as tu on tu.relid = t.oid
  left join bloat on bloat.indexrelid = c.oid
  order by c.relname`;

interface IndexRow extends Omit<IndexFacts, 'tableFacts'>, TableFacts {}

/** Every index of the three tables, by name. */
export async function listIndexFacts(connection: Connection): Promise<IndexFacts[]> {
  const tables = await readOwnTables();
  const rows = await connection.query<IndexRow>(listing(connection.versionNumber), [tables]);
  if (rows.length === 0) {
    throw new OperationError({
      code: 'REFUSED',
      message: `none of the tables ${tables.join(', ')} is here`,
      advice: 'Check that this is the right database; `multi-pair-db status` shows what it has.',
    });
  }
  return rows.map(({ vacuumedMs, analyzedMs, rows: live, deadRows, ...index }) => ({
    ...index,
    tableFacts: { vacuumedMs, analyzedMs, rows: live, deadRows },
  }));
}
