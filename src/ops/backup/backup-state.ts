import type { Connection } from '../../connection/connection.ts';
import { readCatalog, scopeOf } from '../../migrate/catalog/catalog.ts';
import { readCatalogFile } from '../../migrate/catalog/catalog-file.ts';
import { keyOf } from '../../migrate/catalog/compare.ts';
import { readMigrationFiles } from '../../migrate/history/folder.ts';
import { compareHistory } from '../../migrate/history/history.ts';
import { listJournalRows } from '../../migrate/history/journal.ts';
import { frameSchema } from '../../migrate/plan/frame.ts';
import { ownProject } from '../../own/project.ts';
import { listAdoptedRows } from './default-journal.ts';

/** What state of the migrations a database is in: a restored one has to be in the state of its backup, not the newest. */
export interface BackupState {
  /** Schema of the three tables; null where none of them is there. */
  readonly schema: string | null;
  /** Tags of the migrations that are recorded as applied. */
  readonly applied: readonly string[];
  /** What there is of the tables, the triggers and the frame, as `index fills idx_fills_symbol`. */
  readonly objects: readonly string[];
  /** Our rows in drizzle's default journal, which a backup of the tables alone does not hold. */
  readonly adoptedRows: readonly string[];
}

const journal = ownProject.journal ?? { schema: frameSchema, table: 'migrations' };

/** Reads the state; in the transaction of a backup, that of its snapshot. */
export async function readState(connection: Connection): Promise<BackupState> {
  const files = await readMigrationFiles(ownProject.folder);
  const expected = await readCatalogFile(ownProject.folder);
  const scope = scopeOf(expected);
  const { applied } = compareHistory(files, await listJournalRows(connection, journal, files), journal);
  const live = await readCatalog(connection, scope);
  const [row] = await connection.query<{ schema: string }>(
    `select n.nspname as schema
     from unnest($1::text[]) as wanted (name)
     join pg_class as c on c.oid = to_regclass(quote_ident(wanted.name))
     join pg_namespace as n on n.oid = c.relnamespace
     limit 1`,
    [[...scope.tables]],
  );
  return {
    schema: row?.schema ?? null,
    applied: applied.map(({ tag }) => tag),
    // pg_dump leaves an INVALID index out.
    objects: live
      .filter((object) => object.kind !== 'index' || object.properties['valid'] === true)
      .map(keyOf),
    adoptedRows: await listAdoptedRows(connection),
  };
}

/** Checks what a record says, which is a file that anybody may have edited. */
export function isState(value: unknown): value is BackupState {
  if (typeof value !== 'object' || value === null) return false;
  const schema: unknown = Reflect.get(value, 'schema');
  return (
    (schema === null || typeof schema === 'string') &&
    ['applied', 'objects', 'adoptedRows'].every((name) => {
      const list: unknown = Reflect.get(value, name);
      return Array.isArray(list) && list.every((entry) => typeof entry === 'string');
    })
  );
}
