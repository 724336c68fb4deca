/** Writes `drizzle/catalog.json`: what the migrations produce, read from an embedded PostgreSQL that they ran on. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { PGlite } from '@electric-sql/pglite';
import { connectEmbedded } from '../src/connection/open.ts';
import { readCatalog } from '../src/migrate/catalog/catalog.ts';
import { catalogFileName, type ExpectedObject, formatCatalog } from '../src/migrate/catalog/catalog-file.ts';
import { readMigrationFiles } from '../src/migrate/history/folder.ts';
import { frameSchema } from '../src/migrate/plan/frame.ts';
import { ownMigrationsFolder } from '../src/own/migrations-folder.ts';

/** Runs the migrations one after another, and notes of each object which of them made it or changed it last. */
export async function buildCatalog(): Promise<string> {
  await using connection = await connectEmbedded(await PGlite.create());
  let objects = new Map<string, ExpectedObject>();
  for (const { tag, file, statements } of await readMigrationFiles(ownMigrationsFolder)) {
    await connection.execute('begin');
    for (const { sql, line } of statements) await connection.execute(sql, { file, line });
    await connection.execute('commit');
    const tables = await connection.query<{ name: string }>(
      "select tablename::text as name from pg_tables where schemaname = 'public'",
    );
    const after = await readCatalog(connection, {
      tables: tables.map(({ name }) => name),
      schemas: [frameSchema],
    });
    objects = new Map(
      after.map((object) => {
        const key = `${object.kind} ${object.table}.${object.name}`;
        const before = objects.get(key);
        const same =
          before !== undefined && JSON.stringify(before.properties) === JSON.stringify(object.properties);
        return [key, { ...object, migration: same ? before.migration : tag }];
      }),
    );
  }
  return formatCatalog([...objects.values()]);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await writeFile(path.join(ownMigrationsFolder, catalogFileName), await buildCatalog());
}
