import type { Connection } from '../../connection/connection.ts';
import { OperationError } from '../../connection/errors.ts';
import { frameSchema } from '../../migrate/plan/frame.ts';
import { readOwnTables } from '../../own/tables.ts';
import { planSetAside, type SetAside } from './archives.ts';
import type { BackupRecord } from './backup-record.ts';

/** What a restore replaces in a database that is not empty. */
export interface Replacement {
  /** Every table that is dropped: those that the backup holds, and all of ours. */
  readonly tables: readonly string[];
  /** Those of the three tables that are there. */
  readonly own: readonly string[];
  readonly archives: readonly SetAside[];
  /** What stays, and is not made again. */
  readonly present: { readonly schemas: readonly string[]; readonly extensions: readonly string[] };
}

/** What a restore into an empty database replaces. */
export const nothing: Replacement = {
  tables: [],
  own: [],
  archives: [],
  present: { schemas: [], extensions: [] },
};

/**
 * Looks at what is there.
 *
 * @throws OperationError `REFUSED` where a table of ours is not in the backup, or stands in another schema than there
 */
export async function planReplacement(
  connection: Connection,
  record: BackupRecord,
  nowMs: number,
): Promise<Replacement> {
  const own = await listOwnTables(connection);
  const there = new Set(Object.keys(record.rows));
  const missing = own.filter((table) => !there.has(table));
  if (missing.length > 0) throw notInBackup(record, missing);
  const tables = await connection.query<{ name: string }>(
    `select format('%I.%I', n.nspname, c.relname) as name
     from pg_class as c
     join pg_namespace as n on n.oid = c.relnamespace
     where c.relkind in ('r', 'p') and (c.oid in (select to_regclass(name) from unnest($1::text[]) as name) or n.nspname = $2)
     order by 1`,
    [[...there], frameSchema],
  );
  const archives = await planSetAside(connection, record, nowMs);
  return {
    tables: tables.map(({ name }) => name),
    own,
    archives,
    present: await listPresent(connection),
  };
}

/** Where the package finds its tables: by the search path. */
async function listOwnTables(connection: Connection): Promise<string[]> {
  const rows = await connection.query<{ name: string }>(
    `select format('%I.%I', n.nspname, c.relname) as name
     from unnest($1::text[]) as wanted (name)
     join pg_class as c on c.oid = to_regclass(quote_ident(wanted.name)) and c.relkind in ('r', 'p')
     join pg_namespace as n on n.oid = c.relnamespace`,
    [await readOwnTables()],
  );
  return rows.map(({ name }) => name);
}

/** Schemas that stay, and extensions. The frame's own goes, unless an archive stays in it. */
async function listPresent(connection: Connection): Promise<Replacement['present']> {
  const [row] = await connection.query<{ schemas: string[]; extensions: string[] }>(
    `select array(
              select nspname::text from pg_namespace as n
              where nspname <> $1 or exists (
                select from pg_class as c
                where c.relnamespace = n.oid and c.relkind = 'r' and c.relname ~ '^archived_fills(_replaced_|$)')
            ) as schemas,
            array(select extname::text from pg_extension) as extensions`,
    [frameSchema],
  );
  return row ?? nothing.present;
}

function notInBackup(record: BackupRecord, missing: readonly string[]): OperationError {
  const schema = record.state?.schema;
  const elsewhere = missing.filter((table) =>
    Object.keys(record.rows).some((other) => other.split('.').at(-1) === table.split('.').at(-1)),
  );
  const where = schema === undefined || schema === null ? '' : ` (schema ${schema})`;
  return new OperationError({
    code: 'REFUSED',
    message:
      elsewhere.length > 0
        ? `the tables of the backup stand in another schema${where} than those that are here: ${elsewhere.join(', ')}; nothing was changed`
        : `the backup does not hold ${missing.join(', ')}, which are here; nothing was changed`,
    advice:
      elsewhere.length > 0
        ? 'Restore into another database with --into, or move these tables to the schema of the backup first.'
        : 'A table is never dropped because a backup lacks it. Check that it is the right backup, or rename these tables, then run the same command again.',
  });
}
