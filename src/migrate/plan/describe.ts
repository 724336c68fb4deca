import type { Connection } from '../../connection/connection.ts';
import { clientCheck, timeLimits } from '../../connection/limits.ts';
import { inReadOnlyTransaction } from '../../connection/read-only.ts';
import type { Project, StatementFacts } from '../project.ts';
import { buildPlan, type MigrationPlan } from './plan.ts';

/** A plan, and what it will meet on this database. */
export interface DescribedPlan extends MigrationPlan {
  readonly target: string;
  readonly versionNumber: number;
  /** Tables that the pending files work on. */
  readonly tables: readonly TableSize[];
  /** Time limits in force in a session of this role, before the plan lifts them. `0` is none. */
  readonly limits: Readonly<Record<string, string>>;
  /** Roughly what the disk needs, in bytes, by file: new indexes, and new versions of rows that are filled. */
  readonly diskBytes: Readonly<Record<string, number>>;
  /** Roughly what is written to the write-ahead log, in bytes, by file: the same, and old rows where they are logged. */
  readonly walBytes: Readonly<Record<string, number>>;
}

export interface TableSize {
  readonly table: string;
  /** As the server last estimated it. Undefined: the table is not there. */
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

/** What to plan. */
export interface PlanOptions {
  readonly project: Project;
  /** The last file to apply: `001`, `1`, `0001` or the full name (default: all that are pending). */
  readonly upTo?: string;
}

/** What `applyMigrations` would do now, and what it will meet; read-only. */
export async function planMigrations(
  connection: Connection,
  { project, upTo }: PlanOptions,
): Promise<DescribedPlan> {
  return inReadOnlyTransaction(connection, async () => {
    const plan = await buildPlan(connection, project, upTo);
    const all = [...plan.repairs, ...plan.migrations];
    const names = new Set(all.flatMap(({ steps }) => steps.flatMap((step) => step.facts.tables)));
    const tables: TableSize[] = [];
    for (const name of names) tables.push(await readSize(connection, name));
    const diskBytes: Record<string, number> = {};
    const walBytes: Record<string, number> = {};
    for (const migration of all) {
      let bytes = 0;
      let oldRowBytes = 0;
      for (const step of migration.steps) {
        bytes += await estimateBytes(connection, step.facts, tables);
        oldRowBytes += tables.find(({ table }) => table === step.facts.rewrites)?.oldRowBytes ?? 0;
      }
      diskBytes[migration.tag] = bytes;
      walBytes[migration.tag] = bytes + oldRowBytes;
    }
    return {
      ...plan,
      target: connection.target,
      versionNumber: connection.versionNumber,
      tables,
      limits: await readLimitsInForce(connection),
      diskBytes,
      walBytes,
    };
  });
}

async function readSize(connection: Connection, table: string): Promise<TableSize> {
  const [row] = await connection.query<Omit<TableSize, 'table' | 'rows'> & { readonly rows: number }>(
    // reltuples is -1 until the table is first vacuumed or analyzed.
    `select case when c.reltuples >= 0 then c.reltuples else coalesce(s.n_live_tup, 0) end::float8 as rows,
            pg_relation_size(c.oid)::float8 as "heapBytes", pg_total_relation_size(c.oid)::float8 as "totalBytes",
            case when c.relreplident = 'f' and current_setting('wal_level') = 'logical'
              then pg_table_size(c.oid) else 0 end::float8 as "oldRowBytes"
     from pg_class as c
     left join pg_stat_user_tables as s on s.relid = c.oid
     where c.oid = to_regclass($1)`,
    [table],
  );
  const { rows, heapBytes = 0, totalBytes = 0, oldRowBytes = 0 } = row ?? {};
  return { table, rows, heapBytes, totalBytes, oldRowBytes };
}

/** Where a column has no statistics yet: a guess between a bigint and an identifier. */
const unknownWidthBytes = 16;
/** Header and line pointer of an index entry; pages of a new b-tree are filled to nine tenths. */
const entryBytes = 12;
const fillFactor = 0.9;

async function estimateBytes(
  connection: Connection,
  { rewrites, rewrite = 'no', builds = [] }: StatementFacts,
  tables: readonly TableSize[],
): Promise<number> {
  let bytes = 0;
  for (const { table, columns } of builds) bytes += await estimateIndex(connection, columns, table, tables);
  const rewritten = tables.find(({ table }) => table === rewrites);
  if (rewritten === undefined) return bytes;
  // New versions of rows stand in the old file; a new file has its indexes built anew, too.
  return bytes + (rewrite === 'no' ? rewritten.heapBytes : rewritten.totalBytes);
}

async function estimateIndex(
  connection: Connection,
  columns: readonly string[],
  table: string,
  tables: readonly TableSize[],
): Promise<number> {
  const rows = tables.find((size) => size.table === table)?.rows;
  if (rows === undefined) return 0;
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

async function readLimitsInForce(connection: Connection): Promise<Record<string, string>> {
  const rows = await connection.query<{ name: string; setting: string }>(
    'select name, current_setting(name) as setting from pg_settings where name = any($1::text[]) order by name',
    [[...timeLimits, clientCheck]],
  );
  return Object.fromEntries(rows.map(({ name, setting }) => [name, setting]));
}
