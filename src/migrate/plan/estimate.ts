import type { Connection } from '../../connection/connection.ts';
import type { IndexBuild, StatementFacts } from '../project.ts';

/** How large a table is, or is taken to be. */
export interface TableSize {
  readonly table: string;
  /** As the planner estimates it: rows of a page when last counted, times the pages there are. Undefined: no such table. */
  readonly rows: number | undefined;
  /** Of the rows alone, and with indexes and TOAST. */
  readonly heapBytes: number;
  readonly totalBytes: number;
  /**
   * What an update of every row logs beside the new rows: the old ones, with what stands in TOAST. Under wal_level logical,
   * where the table has REPLICA IDENTITY FULL; else 0.
   */
  readonly oldRowBytes: number;
}

export async function readSize(connection: Connection, table: string): Promise<TableSize> {
  const [row] = await connection.query<Omit<TableSize, 'table' | 'rows'> & { readonly rows: number }>(
    // reltuples is -1, or relpages 0, until the table is first vacuumed or analyzed.
    `select case when c.reltuples >= 0 and c.relpages > 0
              then c.reltuples::float8 / c.relpages * (pg_relation_size(c.oid) / current_setting('block_size')::float8)
              else coalesce(s.n_live_tup, 0) end::float8 as rows,
            pg_relation_size(c.oid)::float8 as "heapBytes", pg_total_relation_size(c.oid)::float8 as "totalBytes",
            case when c.relreplident = 'f' and current_setting('wal_level') = 'logical'
              then pg_table_size(c.oid) else 0 end::float8 as "oldRowBytes"
     from pg_class as c
     left join pg_stat_user_tables as s on s.relid = c.oid
     where c.oid = to_regclass($1)`,
    [table],
  );
  const { rows, heapBytes = 0, totalBytes = 0, oldRowBytes = 0 } = row ?? {};
  return {
    table,
    rows: rows === undefined ? undefined : Math.round(rows),
    heapBytes,
    totalBytes,
    oldRowBytes,
  };
}

/** What a statement is expected to take: an estimate from rows and bytes, on a machine that has nothing else to do. */
export interface Cost {
  /** New indexes, and new versions of rows. */
  readonly diskBytes: number;
  /** The same, and old rows where they are logged. */
  readonly walBytes: number;
  /** Without waits for others. */
  readonly durationMs: number;
}

/**
 * Measured on 2 cores with 300,000 and a million rows. An index of the three tables took 1.2 to 8.7 µs a row; a filled
 * row 25 to 40 µs, the rests between the batches included; a check read 260 MB a second.
 */
const pace = {
  quickMs: 10,
  buildMs: 50,
  buildMsOfRow: 0.004,
  fillMsOfRow: 0.04,
  readMsOfByte: 1 / 250_000,
  rewriteMsOfByte: 1 / 50_000,
};

/** What one statement costs on tables of these sizes. */
export async function estimateCost(
  connection: Connection,
  { tables: names, rewrites, rewrite = 'no', isQuick, builds = [] }: StatementFacts,
  sizes: readonly TableSize[],
): Promise<Cost> {
  if (isQuick === true) return { diskBytes: 0, walBytes: 0, durationMs: pace.quickMs };
  const sizeOf = (name: string | undefined): TableSize | undefined =>
    sizes.find(({ table }) => table === name);
  let diskBytes = 0;
  let durationMs = 0;
  for (const build of builds) {
    const rows = sizeOf(build.table)?.rows ?? 0;
    diskBytes += await estimateIndex(connection, build, rows);
    durationMs += pace.buildMs + rows * pace.buildMsOfRow;
  }
  const changed = sizeOf(rewrites);
  if (changed === undefined) {
    const read = builds.length > 0 ? 0 : names.reduce((sum, name) => sum + (sizeOf(name)?.heapBytes ?? 0), 0);
    return { diskBytes, walBytes: diskBytes, durationMs: durationMs + read * pace.readMsOfByte };
  }
  // New versions of rows stand in the old file. A new file has its indexes built anew, too.
  const isNewFile = rewrite !== 'no';
  diskBytes += isNewFile ? changed.totalBytes : changed.heapBytes;
  durationMs += isNewFile
    ? changed.totalBytes * pace.rewriteMsOfByte
    : (changed.rows ?? 0) * pace.fillMsOfRow;
  return { diskBytes, walBytes: diskBytes + changed.oldRowBytes, durationMs };
}

/** Where a column has no statistics yet: a guess between a bigint and an identifier. */
const unknownWidthBytes = 16;
/** Header and line pointer of an index entry; pages of a new b-tree are filled to nine tenths. */
const entryBytes = 12;
const fillFactor = 0.9;

async function estimateIndex(
  connection: Connection,
  { table, columns }: IndexBuild,
  rows: number,
): Promise<number> {
  if (rows === 0) return 0;
  const [row] = await connection.query<{ bytes: number }>(
    `select coalesce(sum(coalesce(s.avg_width, $3)), $3)::float8 as bytes
     from pg_attribute as a
     join pg_class as c on c.oid = a.attrelid
     left join pg_stats as s
       on s.schemaname = c.relnamespace::regnamespace::name and s.tablename = c.relname and s.attname = a.attname
     where a.attrelid = to_regclass($1) and a.attnum > 0 and not a.attisdropped and a.attname = any($2::text[])`,
    [table, [...columns], unknownWidthBytes],
  );
  return Math.round((rows * ((row?.bytes ?? unknownWidthBytes) + entryBytes)) / fillFactor);
}
