import { quoteIdentifier as quote } from '../../src/connection/identifiers.ts';
import type { Change } from './changes.ts';
import type { Scratch } from './scratch.ts';

export interface IndexPart {
  readonly index: string;
  readonly table: string;
  /** As PostgreSQL words it: `unique btree (a, b)`. */
  readonly definition: string;
  /** What had the name before: the undo gives that back. */
  readonly before?: string | undefined;
}

/** What a statement comes to in the frame. */
export interface Part {
  /** Indexes of existing tables: built CONCURRENTLY. */
  readonly indexes: readonly IndexPart[];
  readonly droppedIndexes: readonly IndexPart[];
  readonly columns: readonly { readonly table: string; readonly column: string; readonly type: string }[];
  readonly newTables: readonly string[];
  /** Existing tables that the block locks, for some milliseconds. */
  readonly lockedTables: readonly string[];
  /** Statements of the block: one message, one transaction, the same when it is run twice. */
  readonly block: readonly string[];
  /** Constraints that are validated after it, while services go on. */
  readonly unvalidated: readonly { readonly table: string; readonly constraint: string }[];
  /** Statements that take the block back. */
  readonly undoBlock: readonly string[];
}

const nothing: Part = {
  indexes: [],
  droppedIndexes: [],
  columns: [],
  newTables: [],
  lockedTables: [],
  block: [],
  unvalidated: [],
  undoBlock: [],
};

/** Looks at what is there before a statement is run; what it returns is called after it. */
export async function toPart(
  change: Change,
  existing: ReadonlySet<string>,
  scratch: Scratch,
): Promise<() => Promise<Part>> {
  switch (change.kind) {
    case 'index':
      return () => indexPart(change.index, existing, scratch);
    case 'drop index': {
      const before = await requireIndex(change.index, scratch);
      return async () => ({ ...nothing, droppedIndexes: [before] });
    }
    case 'column':
      return () => columnPart(change, scratch);
    case 'alter column': {
      const undo = await scratch.readColumnSettings(change.table, change.column);
      return async () => ({ ...nothing, block: [change.sql], lockedTables: [change.table], undoBlock: undo });
    }
    case 'constraint':
      return async () => constraintPart(change, existing);
    case 'table':
      return async () => ({
        ...nothing,
        newTables: [change.table],
        block: [change.sql.replace('create table ', 'create table if not exists ')],
        undoBlock: [`drop table if exists ${quote(change.table)}`],
      });
    case 'refused':
      throw new Error('what is refused is in no file');
  }
}

async function requireIndex(index: string, scratch: Scratch): Promise<IndexPart> {
  const found = await scratch.readIndex(index);
  if (found === undefined) throw new Error(`the index ${index} is not there`);
  return { index, ...found };
}

/** As a statement that builds it; `how` is `concurrently` or nothing. */
export function createIndex({ index, table, definition }: IndexPart, how: '' | 'concurrently '): string {
  const [, unique = '', rest = ''] = /^(unique )?(.*)$/s.exec(definition) ?? [];
  return `create ${unique}index ${how}if not exists ${quote(index)} on ${quote(table)} using ${rest}`;
}

async function indexPart(index: string, existing: ReadonlySet<string>, scratch: Scratch): Promise<Part> {
  const made = await requireIndex(index, scratch);
  return existing.has(made.table)
    ? { ...nothing, indexes: [made] }
    : { ...nothing, block: [createIndex(made, '')] };
}

async function columnPart(
  { table, column, sql, fallback }: Extract<Change, { kind: 'column' }>,
  scratch: Scratch,
): Promise<Part> {
  const type = await scratch.readColumnType(table, column);
  const setDefault = `alter table ${quote(table)} alter column ${quote(column)} set default ${fallback}`;
  return {
    ...nothing,
    columns: [{ table, column, type }],
    lockedTables: [table],
    // An older attempt may have added it with another default.
    block: [
      sql.replace(' add column ', ' add column if not exists '),
      ...(fallback === undefined ? [] : [setDefault]),
    ],
    undoBlock: [`alter table ${quote(table)} drop column if exists ${quote(column)}`],
  };
}

function constraintPart(
  { table, constraint, sql, refersTo }: Extract<Change, { kind: 'constraint' }>,
  existing: ReadonlySet<string>,
): Part {
  const drop = `alter table ${quote(table)} drop constraint if exists ${quote(constraint)}`;
  const isLive = existing.has(table);
  const locked = [table, ...(refersTo === undefined ? [] : [refersTo])].filter((name) => existing.has(name));
  return {
    ...nothing,
    lockedTables: locked,
    block: [drop, isLive ? `${sql} not valid` : sql],
    unvalidated: isLive ? [{ table, constraint }] : [],
    // A new table goes with its constraints.
    undoBlock: isLive ? [drop] : [],
  };
}
