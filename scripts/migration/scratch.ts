import type { Connection } from '../../src/connection/connection.ts';
import { openPglite } from '../../src/connection/embedded.ts';
import { quoteIdentifier } from '../../src/connection/identifiers.ts';
import { type CatalogObject, readCatalog } from '../../src/migrate/catalog/catalog.ts';
import type { MigrationStatement } from '../../src/migrate/history/folder.ts';
import { frameSchema } from '../../src/migrate/plan/frame.ts';

/** An embedded database to try files on, and to ask PostgreSQL itself what they make. */
export interface Scratch extends AsyncDisposable {
  readonly connection: Connection;
  /** Runs a file as a runner would: in a transaction that the file may end. */
  apply(statements: readonly MigrationStatement[]): Promise<void>;
  /** Runs a file of `down/`: statement by statement. */
  undo(statements: readonly MigrationStatement[]): Promise<void>;
  /** Tables, columns, constraints, indexes, triggers and procedures, as verify compares them. */
  readObjects(): Promise<readonly CatalogObject[]>;
  /** `unique btree (a, b)`, as `multi_pair_db.expect_index` compares it. */
  readIndex(index: string): Promise<{ readonly table: string; readonly definition: string } | undefined>;
  /** `text`, as `multi_pair_db.expect_column` compares it. */
  readColumnType(table: string, column: string): Promise<string>;
  /** Statements that give a column the default that it has now. */
  readColumnSettings(table: string, column: string): Promise<string[]>;
  /** File on the disk of each table: another one after a statement means that it has rewritten the table. */
  readFileNodes(): Promise<ReadonlyMap<string, string>>;
}

/** A database with some files applied. */
export async function openScratch(
  files: readonly { readonly statements: readonly MigrationStatement[] }[],
): Promise<Scratch> {
  const { connection } = await openPglite({});
  const scratch = createScratch(connection);
  for (const { statements } of files) await scratch.apply(statements);
  return scratch;
}

function createScratch(connection: Connection): Scratch {
  const run = async (statements: readonly MigrationStatement[]): Promise<void> => {
    for (const { sql } of statements) await connection.execute(sql);
  };
  return {
    connection,
    apply: async (statements) => {
      await connection.execute('begin');
      await run(statements);
      await connection.execute('commit');
    },
    undo: run,
    readObjects: async () => {
      const tables = await connection.query<{ name: string }>(
        "select tablename::text as name from pg_tables where schemaname = 'public'",
      );
      return readCatalog(connection, { tables: tables.map(({ name }) => name), schemas: [frameSchema] });
    },
    readIndex: async (index) => {
      const [row] = await connection.query<{ table: string; definition: string }>(
        `select c.relname::text as table, multi_pair_db.index_definition(i.indexrelid) as definition
         from pg_index as i join pg_class as c on c.oid = i.indrelid
         where i.indexrelid = to_regclass(quote_ident($1))`,
        [index],
      );
      return row;
    },
    readColumnType: async (table, column) => {
      const [row] = await connection.query<{ type: string }>(
        `select format_type(atttypid, atttypmod) as type from pg_attribute
         where attrelid = to_regclass(quote_ident($1)) and attname = $2`,
        [table, column],
      );
      if (row === undefined)
        throw new Error(`${table}.${column} is not there after the statement that adds it`);
      return row.type;
    },
    readColumnSettings: async (table, column) => {
      const [row] = await connection.query<{ fallback: string | null }>(
        `select pg_get_expr(d.adbin, d.adrelid) as fallback
         from pg_attribute as a left join pg_attrdef as d on d.adrelid = a.attrelid and d.adnum = a.attnum
         where a.attrelid = to_regclass(quote_ident($1)) and a.attname = $2`,
        [table, column],
      );
      const alter = `alter table ${quoteIdentifier(table)} alter column ${quoteIdentifier(column)}`;
      const fallback = row?.fallback ?? null;
      return [fallback === null ? `${alter} drop default` : `${alter} set default ${fallback}`];
    },
    readFileNodes: async () => {
      const rows = await connection.query<{ name: string; node: string }>(
        `select relname::text as name, pg_relation_filenode(oid)::text as node from pg_class
         where relnamespace = 'public'::regnamespace and relkind = 'r'`,
      );
      return new Map(rows.map(({ name, node }) => [name, node]));
    },
    [Symbol.asyncDispose]: () => connection.close(),
  };
}
