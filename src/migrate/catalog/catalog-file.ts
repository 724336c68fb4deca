import { access, readFile } from 'node:fs/promises';
import path from 'node:path';
import { OperationError } from '../../connection/errors.ts';
import { type CatalogObject, compareObjects, objectKinds, type Property } from './catalog.ts';

/** An object as the migrations produce it. */
export interface ExpectedObject extends CatalogObject {
  /** Tag of the migration that made it or changed it last. */
  readonly migration: string;
  /** Tag of the migration that made it, where a later one has changed it. */
  readonly madeBy?: string;
}

/** The file beside the migrations that says what they produce. */
export const catalogFileName = 'catalog.json';

/**
 * Reads what the migrations of a drizzle folder produce from its `catalog.json`.
 *
 * @throws OperationError `FILE_INVALID` where the file is missing or is no such catalog.
 */
export async function readCatalogFile(folder: string): Promise<readonly ExpectedObject[]> {
  const file = path.join(folder, catalogFileName);
  try {
    return parseCatalog(JSON.parse(await readFile(file, 'utf8')));
  } catch (cause) {
    throw new OperationError({
      code: 'FILE_INVALID',
      message: `${file} can’t be read: ${cause instanceof Error ? cause.message : String(cause)}`,
      advice: 'It is made from the migrations and comes with them: install the package again.',
      file: catalogFileName,
    });
  }
}

/** The same, or nothing where a folder has no such file: then what its files produce is not known. */
export async function findCatalogFile(folder: string): Promise<readonly ExpectedObject[]> {
  const present = await access(path.join(folder, catalogFileName)).then(
    () => true,
    () => false,
  );
  return present ? readCatalogFile(folder) : [];
}

/** The file's text: table, kind, name, and one line an object, so that a change is one line in a review. */
export function formatCatalog(objects: readonly ExpectedObject[]): string {
  const sorted = [...objects].sort(compareObjects);
  const tables = [...new Set(sorted.map((object) => object.table))].map((table) => {
    const own = sorted.filter((object) => object.table === table);
    return `  ${JSON.stringify(table)}: {\n${formatKinds(own)}\n  }`;
  });
  return `{\n${tables.join(',\n')}\n}\n`;
}

function formatKinds(objects: readonly ExpectedObject[]): string {
  return objectKinds
    .map((kind) => ({ kind, own: objects.filter((object) => object.kind === kind) }))
    .filter(({ own }) => own.length > 0)
    .map(({ kind, own }) => `    "${kind}": {\n${own.map(formatObject).join(',\n')}\n    }`)
    .join(',\n');
}

function formatObject({ name, properties, migration, madeBy }: ExpectedObject): string {
  const origin = { ...(madeBy === undefined ? {} : { madeBy }), migration };
  const fields = Object.entries({ ...properties, ...origin }).map(([key, value]) => {
    const text = Array.isArray(value) ? formatLines(value) : JSON.stringify(value);
    return `${JSON.stringify(key)}: ${text}`;
  });
  return `      ${JSON.stringify(name)}: { ${fields.join(', ')} }`;
}

const formatLines = (lines: readonly string[]): string =>
  `[\n${lines.map((line) => `        ${JSON.stringify(line)}`).join(',\n')}\n      ]`;

function parseCatalog(json: unknown): ExpectedObject[] {
  return entries(json).flatMap(([table, kinds]) =>
    objectKinds.flatMap((kind) => {
      const objects: unknown = entries(kinds).find(([key]) => key === kind)?.[1] ?? {};
      return entries(objects).map(([name, fields]) => parseObject({ kind, table, name }, fields));
    }),
  );
}

function parseObject(
  identity: Pick<ExpectedObject, 'kind' | 'table' | 'name'>,
  fields: unknown,
): ExpectedObject {
  const properties: Record<string, Property> = {};
  const origin: { migration?: string; madeBy?: string } = {};
  for (const [key, value] of entries(fields)) {
    if (!isProperty(value)) throw new Error(`${identity.table}.${identity.name}: ${key} is no property`);
    if (key === 'migration' || key === 'madeBy') origin[key] = String(value);
    else properties[key] = value;
  }
  const { migration } = origin;
  if (migration === undefined) throw new Error(`${identity.table}.${identity.name} names no migration`);
  return { ...identity, properties, ...origin, migration };
}

function entries(value: unknown): [string, unknown][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error('not an object');
  return Object.entries(value);
}

const isProperty = (value: unknown): value is Property =>
  value === null ||
  typeof value === 'string' ||
  typeof value === 'boolean' ||
  (Array.isArray(value) && value.every((line) => typeof line === 'string'));
