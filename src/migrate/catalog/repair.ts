import path from 'node:path';
import { quoteIdentifier as quote, quoteLiteral } from '../../connection/identifiers.ts';
import type { CatalogObject } from './catalog.ts';
import type { ExpectedObject } from './catalog-file.ts';

/** `0002_symbol_indexes` is asked for as `002`; the ground (`0000`) comes with whatever is asked for. */
export function migrateCommand(tag: string): string {
  const number = Number(tag.slice(0, 4));
  return number > 0 ? `multi-pair-db migrate ${String(number).padStart(3, '0')}` : 'multi-pair-db migrate';
}

/** What advice has to know about the files and what is recorded of them. */
export interface Migrations {
  readonly folder: string;
  /** Tags of those that are recorded as applied. */
  readonly applied: ReadonlySet<string>;
}

/** What brings what a migration makes. Once it is recorded, its file can run again, and repairs what it finds. */
export function applyCommand(tag: string, { folder, applied }: Migrations): string {
  if (!applied.has(tag)) return migrateCommand(tag);
  return `psql "$DATABASE_URL" -X -v ON_ERROR_STOP=1 -f ${path.join(folder, `${tag}.sql`)}`;
}

/** What makes a missing or different object what it should be. `found` is what stands in its place or has its name. */
export function repairObject(
  wanted: ExpectedObject,
  found: CatalogObject | undefined,
  migrations: Migrations,
): string {
  const isNamedOtherwise = found !== undefined && found.name !== wanted.name;
  if (isNamedOtherwise) return renameObject(wanted, found.name);
  if (wanted.kind === 'column' && found !== undefined) return repairColumn(wanted, found);
  if (!migrations.applied.has(wanted.migration)) return migrateCommand(wanted.migration);
  switch (wanted.kind) {
    case 'constraint':
    case 'index':
      return repairByHand(wanted, found);
    case 'trigger':
      return differsOnlyIn(wanted, found, 'fires')
        ? enableTrigger(wanted)
        : applyCommand(wanted.migration, migrations);
    case 'table':
      return found?.properties['kind'] === 'unlogged table'
        ? `alter table ${quote(wanted.table)} set logged -- rewrites it; nobody can read it meanwhile`
        : `${applyCommand(wanted.migration, migrations)} # the rows are in a backup, if anywhere`;
    case 'column':
      return addColumn(wanted);
    case 'procedure':
      return applyCommand(wanted.migration, migrations);
  }
}

/** It fires as the migrations have it fire: `enable always` also in a session that plays a replica. */
const enableTrigger = ({ table, name, properties }: ExpectedObject): string =>
  `alter table ${quote(table)} enable ${properties['fires'] === 'always' ? 'always ' : ''}trigger ${quote(name)}`;

/** The statements that make an index or constraint what it should be, whatever the migrations would do about it. */
export const repairByHand = (wanted: ExpectedObject, found: CatalogObject | undefined): string =>
  wanted.kind === 'index' ? repairIndex(wanted, found) : repairConstraint(wanted, found);

/** What may be done about an object that the package does not know. */
export function adviseSurplus({ kind, table, name, properties }: CatalogObject): string {
  switch (kind) {
    case 'column':
      return refusesNull(properties)
        ? `alter table ${quote(table)} alter column ${quote(name)} drop not null -- or give it a default: services that do not know it can’t insert`
        : 'nothing to do: this package names its columns';
    case 'constraint':
      return `alter table ${quote(table)} drop constraint ${quote(name)} -- if it refuses rows that it should not`;
    case 'index':
      if (/__(set_aside|broken)$/.test(name)) {
        return `drop index concurrently ${quote(name)} -- set aside by a run that broke off`;
      }
      if (properties['unique'] === true) {
        return `drop index concurrently ${quote(name)} -- if it refuses rows that it should not`;
      }
      if (properties['valid'] === false) {
        return `drop index concurrently ${quote(name)} -- it costs every write and serves nobody`;
      }
      return 'nothing to do: `multi-pair-db indexes` shows whether it is used';
    case 'trigger':
      if (isLeftByUndo({ kind, name })) {
        return 'run the rollback again, which broke off and left it; or `multi-pair-db migrate`, which drops it on its way';
      }
      return 'nothing to do, if it changes none of the columns of this package';
    case 'table':
    case 'procedure':
      return 'nothing to do';
  }
}

/** A trigger that notes for an undo what services write meanwhile: it goes with the undo, and stays where that broke off. */
export const isLeftByUndo = ({ kind, name }: Pick<CatalogObject, 'kind' | 'name'>): boolean =>
  kind === 'trigger' && name.startsWith('trg_multi_pair_db_note_');

function renameObject({ kind, table, name }: ExpectedObject, from: string): string {
  return kind === 'index'
    ? `alter index ${quote(from)} rename to ${quote(name)}`
    : `alter table ${quote(table)} rename constraint ${quote(from)} to ${quote(name)}`;
}

function repairColumn(wanted: ExpectedObject, found: CatalogObject): string {
  const column = `alter table ${quote(wanted.table)} alter column ${quote(wanted.name)}`;
  const { type, nullable, comment } = wanted.properties;
  const fallback = wanted.properties['default'];
  const differs = (key: string): boolean => wanted.properties[key] !== found.properties[key];
  const steps: string[] = [];
  if (differs('type')) steps.push(`${column} type ${String(type)}`);
  if (differs('nullable')) steps.push(`${column} ${nullable === true ? 'drop' : 'set'} not null`);
  if (differs('default')) {
    steps.push(fallback === null ? `${column} drop default` : `${column} set default ${String(fallback)}`);
  }
  if (differs('comment')) {
    const text = typeof comment === 'string' ? quoteLiteral(comment) : 'null';
    steps.push(`comment on column ${quote(wanted.table)}.${quote(wanted.name)} is ${text}`);
  }
  const remark = differs('type') ? ' -- may rewrite the table; nobody can read it meanwhile' : '';
  return steps.join('; ') + remark;
}

function addColumn({ table, name, properties }: ExpectedObject): string {
  const fallback = properties['default'];
  const definition = `${String(properties['type'])}${fallback === null ? '' : ` default ${String(fallback)}`}`;
  return `alter table ${quote(table)} add column ${quote(name)} ${definition} -- its values are in a backup, if anywhere`;
}

/** True of a column that has to be given a value by whoever inserts. */
export const refusesNull = (properties: CatalogObject['properties']): boolean =>
  properties['nullable'] === false && properties['default'] === null;

function repairConstraint(wanted: ExpectedObject, found: CatalogObject | undefined): string {
  const table = `alter table ${quote(wanted.table)}`;
  const name = quote(wanted.name);
  const validate = `${table} validate constraint ${name}`;
  if (differsOnlyIn(wanted, found, 'valid')) return validate;
  const drop = found === undefined ? '' : `${table} drop constraint ${name}; `;
  const definition = String(wanted.properties['definition']);
  // A primary key has no unvalidated form.
  if (definition.startsWith('PRIMARY KEY')) return `${drop}${table} add constraint ${name} ${definition}`;
  return `${drop}${table} add constraint ${name} ${definition} not valid; ${validate}`;
}

function repairIndex(wanted: ExpectedObject, found: CatalogObject | undefined): string {
  const name = quote(wanted.name);
  const create = (as: string): string =>
    `create ${wanted.properties['unique'] === true ? 'unique ' : ''}index concurrently ${as} on ${quote(wanted.table)} using ${String(wanted.properties['definition'])}`;
  if (found === undefined) return create(name);
  if (differsOnlyIn(wanted, found, 'valid')) return `reindex index concurrently ${name}`;
  // The old one serves its readers until its successor stands.
  const successor = quote(`${wanted.name}__new`);
  return `${create(successor)}; drop index concurrently ${name}; alter index ${successor} rename to ${name}`;
}

function differsOnlyIn(wanted: CatalogObject, found: CatalogObject | undefined, key: string): boolean {
  if (found === undefined) return false;
  return Object.keys(wanted.properties).every(
    (other) =>
      other === key || JSON.stringify(wanted.properties[other]) === JSON.stringify(found.properties[other]),
  );
}
