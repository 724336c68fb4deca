/**
 * What the journal, the catalog and the live SQL say, read once. No test lists it a second time: whoever adds a column
 * or an index touches none of them.
 */
import { type ExpectedObject, readCatalogFile } from '../../src/migrate/catalog/catalog-file.ts';
import { type MigrationFile, readMigrationFiles } from '../../src/migrate/history/folder.ts';
import { resolveMigration } from '../../src/migrate/history/history.ts';
import { migrationsFolder, readLegacySchema } from './migrations.ts';

/** The project's migrations, in the order of the journal. */
export const migrationFiles: readonly MigrationFile[] = await readMigrationFiles(migrationsFolder);
/** `0000_baseline`, … */
export const tags: readonly string[] = migrationFiles.map(({ tag }) => tag);
/** The one that is applied last. */
export const lastTag: string = tags.at(-1) ?? '';
/** A value for each of them, as a report has one: `forEachTag('applied')`. */
export const forEachTag = <T>(value: T): T[] => tags.map(() => value);

/** The file that an operator means by `002`. */
export const migrationOf = (name: string): MigrationFile => resolveMigration(migrationFiles, name);
/** Its tag and those before it. */
export const tagsUpTo = (name: string): string[] => tags.slice(0, tags.indexOf(migrationOf(name).tag) + 1);
/** The tags after it. */
export const tagsAfter = (name: string): string[] => tags.slice(tags.indexOf(migrationOf(name).tag) + 1);
/** The tag of a file that comes after all that are there. */
export const nextTag = (name: string): string => `${String(tags.length).padStart(4, '0')}_${name}`;

/** All that the migrations produce. */
export const expectedObjects: readonly ExpectedObject[] = await readCatalogFile(migrationsFolder);
/** What a file has made, or changed last. */
export const madeBy = (name: string): readonly ExpectedObject[] =>
  expectedObjects.filter(({ migration }) => migration === migrationOf(name).tag);
/** Is it a column that the live database has, too? A later file may have changed its default or comment. */
export const isLiveColumn = ({ kind, table, name }: ExpectedObject): boolean =>
  kind === 'column' && (liveColumns[table]?.includes(name) ?? false);
/** Names of all indexes, those of the primary keys with them. */
export const indexNames: readonly string[] = expectedObjects
  .filter(
    ({ kind, properties }) =>
      kind === 'index' ||
      (kind === 'constraint' && /^(PRIMARY KEY|UNIQUE)/.test(String(properties['definition']))),
  )
  .map(({ name }) => name);
/** Names of a table's columns, sorted. */
export const columnsOf = (table: string): string[] =>
  expectedObjects
    .filter((object) => object.kind === 'column' && object.table === table)
    .map(({ name }) => name)
    .toSorted();

/** The columns of the live single-pair database, by table, as its SQL names them. */
export const liveColumns: Readonly<Record<string, readonly string[]>> = Object.fromEntries(
  [...(await readLegacySchema()).matchAll(/^create table (\w+) \(\n(.*?)\n\);$/gms)].map(
    ([, table = '', body = '']) => [
      table,
      [...body.matchAll(/^ {4}(\w+) /gm)].flatMap(([, name = '']) => (name === 'constraint' ? [] : [name])),
    ],
  ),
);
