import { type CatalogObject, type Property, scopeOf } from './catalog.ts';
import type { ExpectedObject } from './catalog-file.ts';
import { adviseSurplus, applyCommand, type Migrations, refusesNull, repairObject } from './repair.ts';

/** Something of the database that is not what the package says. */
export interface Finding {
  /**
   * `fault`: a statement of this package could fail, be slow, or store something else than it says. `note`: others
   * added it or said it, and nothing here minds.
   */
  readonly level: 'fault' | 'note';
  /** What it is about: `index idx_fills_symbol`, `column sessions.pairs`, … */
  readonly object: string;
  readonly expected: string;
  readonly found: string;
  /** The command or statement that repairs it; of a note, what may be done. */
  readonly repair: string;
}

/**
 * What of the live catalog is not as expected: one finding an object. What is missing or different is a fault, a
 * comment apart. What is there beyond is a fault only where it can refuse a row that this package writes: a NOT NULL
 * column without default, a constraint, a unique index.
 *
 * @param migrations what is recorded as applied: what repairs depends on it
 */
export function compareCatalogs(
  expected: readonly ExpectedObject[],
  live: readonly CatalogObject[],
  migrations: Migrations,
): Finding[] {
  const liveByKey = new Map(live.map((object) => [keyOf(object), object]));
  const missingTables = expected
    .filter((object) => object.kind === 'table' && !liveByKey.has(keyOf(object)))
    .map((object) => object.table);
  const missingSchemas = scopeOf(expected).schemas.filter(
    (schema) => !live.some(({ kind, table }) => kind === 'procedure' && table === schema),
  );
  const namedOtherwise = new Set<CatalogObject>();

  const differences = expected
    .filter(({ kind, table }) => kind === 'table' || ![...missingTables, ...missingSchemas].includes(table))
    .flatMap((wanted) => {
      const found = liveByKey.get(keyOf(wanted));
      if (found !== undefined) return compareObject(wanted, found, migrations);
      const twin = findTwin(wanted, live, expected);
      if (twin !== undefined) namedOtherwise.add(twin);
      return describeMissing(wanted, twin, migrations);
    });

  const expectedKeys = new Set(expected.map(keyOf));
  const surplus = live.filter((object) => !expectedKeys.has(keyOf(object)) && !namedOtherwise.has(object));
  return [
    ...differences,
    ...missingSchemas.map((schema) => describeMissingSchema(schema, expected, migrations)),
    ...surplus.map(describeSurplus),
  ];
}

/** How an object is called in a report. */
export const nameObject = ({ kind, table, name }: Pick<CatalogObject, 'kind' | 'table' | 'name'>): string => {
  if (kind === 'column') return `column ${table}.${name}`;
  if (kind === 'procedure') return `procedure ${table}.${name}`;
  return kind === 'constraint' || kind === 'trigger' ? `${kind} ${name} on ${table}` : `${kind} ${name}`;
};

/** What identifies an object: `index fills idx_fills_symbol`. */
export const keyOf = ({ kind, table, name }: Pick<CatalogObject, 'kind' | 'table' | 'name'>): string =>
  `${kind} ${table} ${name}`;

const same = (a: Property | undefined, b: Property | undefined): boolean =>
  JSON.stringify(a) === JSON.stringify(b);

const listDifferences = (wanted: CatalogObject, found: CatalogObject): string[] =>
  [...new Set([...Object.keys(wanted.properties), ...Object.keys(found.properties)])].filter(
    (key) => !same(wanted.properties[key], found.properties[key]),
  );

/** Is it what is wanted, a comment apart? */
export const isAsExpected = (wanted: CatalogObject, found: CatalogObject): boolean =>
  listDifferences(wanted, found).every((key) => key === 'comment');

function compareObject(wanted: ExpectedObject, found: CatalogObject, migrations: Migrations): Finding[] {
  const differing = listDifferences(wanted, found);
  if (differing.length === 0) return [];
  const isRemark = differing.every((key) => key === 'comment');
  return [
    {
      level: isRemark ? 'note' : 'fault',
      object: nameObject(wanted),
      ...describeDifference(wanted, found, differing),
      repair: repairObject(wanted, found, migrations),
    },
  ];
}

function describeDifference(
  wanted: CatalogObject,
  found: CatalogObject,
  keys: readonly string[],
): Pick<Finding, 'expected' | 'found'> {
  const pairs = keys.map((key) => {
    const [a, b] = [wanted.properties[key], found.properties[key]];
    return Array.isArray(a) && Array.isArray(b)
      ? describeLines(a, b)
      : [describeProperty(key, a), describeProperty(key, b)];
  });
  return {
    expected: pairs.map(([text]) => text).join('; '),
    found: pairs.map(([, text]) => text).join('; '),
  };
}

/** Two bodies, by the first line that tells them apart. */
function describeLines(wanted: readonly string[], found: readonly string[]): [string, string] {
  const line = Array.from({ length: Math.max(wanted.length, found.length) }).findIndex(
    (_, position) => wanted[position] !== found[position],
  );
  const quote = (lines: readonly string[]): string =>
    `line ${line + 1} of the body: ${lines[line]?.trim() ?? 'none, it ends before'}`;
  return [quote(wanted), quote(found)];
}

function describeProperty(key: string, value: Property | undefined): string {
  switch (key) {
    case 'definition':
    case 'type':
    case 'kind':
      return String(value);
    case 'nullable':
      return value === true ? 'null allowed' : 'not null';
    case 'valid':
      return value === true ? 'valid' : 'INVALID';
    case 'unique':
      return value === true ? 'unique' : 'not unique';
    default:
      return `${key} ${value === null || value === undefined ? 'none' : String(value)}`;
  }
}

function describeMissing(
  wanted: ExpectedObject,
  twin: CatalogObject | undefined,
  migrations: Migrations,
): Finding[] {
  const isPrimaryKey = String(wanted.properties['definition']).startsWith('PRIMARY KEY');
  return [
    {
      level: twin !== undefined && isPrimaryKey ? 'note' : 'fault',
      object: nameObject(wanted),
      expected: summarize(wanted),
      found: twin === undefined ? 'missing' : `missing; ${twin.name} is the same under another name`,
      repair: repairObject(wanted, twin, migrations),
    },
  ];
}

/** Before the first migration none of the procedures is there: that is one thing to say, not one for each of them. */
function describeMissingSchema(
  schema: string,
  expected: readonly ExpectedObject[],
  migrations: Migrations,
): Finding {
  const own = expected.filter(({ kind, table }) => kind === 'procedure' && table === schema);
  return {
    level: 'fault',
    object: `procedures of ${schema}`,
    expected: `${own.length} functions and procedures`,
    found: 'missing',
    repair: applyCommand(own[0]?.migration ?? '', migrations),
  };
}

/** An object that is what is wanted, but for its name. */
export function findTwin(
  wanted: CatalogObject,
  live: readonly CatalogObject[],
  expected: readonly CatalogObject[],
): CatalogObject | undefined {
  if (wanted.kind !== 'constraint' && wanted.kind !== 'index') return undefined;
  const expectedKeys = new Set(expected.map(keyOf));
  return live.find(
    (object) =>
      object.kind === wanted.kind &&
      object.table === wanted.table &&
      !expectedKeys.has(keyOf(object)) &&
      Object.keys(wanted.properties).every((key) => same(wanted.properties[key], object.properties[key])),
  );
}

function describeSurplus(object: CatalogObject): Finding {
  return {
    level: refusesRows(object) ? 'fault' : 'note',
    object: nameObject(object),
    expected: 'nothing of this name',
    found: summarize(object),
    repair: adviseSurplus(object),
  };
}

function refusesRows({ kind, properties }: CatalogObject): boolean {
  if (kind === 'column') return refusesNull(properties);
  return kind === 'constraint' || (kind === 'index' && properties['unique'] === true);
}

/** An object in one line: what it is, without what goes without saying. */
function summarize({ properties }: CatalogObject): string {
  return Object.entries(properties)
    .filter(
      ([key, value]) => value !== null && !Array.isArray(value) && key !== 'comment' && !isUsual(key, value),
    )
    .map(([key, value]) => describeProperty(key, value))
    .join(', ');
}

const isUsual = (key: string, value: Property): boolean =>
  ((key === 'valid' || key === 'nullable') && value === true) ||
  ((key === 'unique' || key === 'security definer') && value === false) ||
  key === 'language' ||
  (key === 'fires' && typeof value === 'string' && value.startsWith('always'));
