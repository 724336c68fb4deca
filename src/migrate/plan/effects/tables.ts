import type { CreateStmt, Node, RangeVar } from 'libpg-query';
import type { TableLock } from '../../project.ts';
import { catalogOnly, type Effect, worksOnRows } from '../effect.ts';
import { lockBeside, lockOf, toQualifiedName, toTableName } from '../locks.ts';
import { isRecord, type Nodes, readWords, walk } from '../parse.ts';
import { lockQuery, lockUnrunQuery } from './query.ts';

const tableOf = (node: Node): RangeVar[] => ('RangeVar' in node ? [node.RangeVar] : []);

/** CREATE TABLE: nobody else sees the new one; its parents and the tables that it refers to are there. */
export function createTable(statement: CreateStmt): Effect | undefined {
  const { relation, inhRelations = [], partbound, tableElts = [], constraints = [] } = statement;
  if (relation === undefined) return undefined;
  const locks: TableLock[] = inhRelations.flatMap(tableOf).flatMap((parent) => {
    if (partbound === undefined) return [lockOf(parent, 'SHARE UPDATE EXCLUSIVE')];
    const name = toTableName(parent);
    return [
      lockOf(parent, 'ACCESS EXCLUSIVE'),
      lockBeside(name, 'its default partition', 'ACCESS EXCLUSIVE'),
      lockBeside(name, 'tables that it refers to', 'SHARE ROW EXCLUSIVE'),
    ];
  });
  walk([tableElts, constraints], (node) => {
    if (isRecord(node['pktable'])) locks.push(lockOf(node['pktable'], 'SHARE ROW EXCLUSIVE'));
    const like = node['TableLikeClause'];
    if (isRecord(like) && isRecord(like['relation'])) locks.push(lockOf(like['relation'], 'ACCESS SHARE'));
    return true;
  });
  const own = toTableName(relation);
  const others = locks.filter((lock) => lock.name !== own);
  const isUnsure = statement.if_not_exists === true;
  return {
    ...catalogOnly(isUnsure ? others.map((lock): TableLock => ({ ...lock, may: true })) : others),
    creates: [own],
  };
}

/** CREATE TABLE … AS, SELECT INTO, CREATE MATERIALIZED VIEW, CREATE VIEW: they read what the query reads. */
export function createFromQuery(query: Node | undefined, created: RangeVar | undefined): Effect | undefined {
  const locks = lockQuery(query);
  if (locks === undefined || created === undefined) return undefined;
  return {
    ...worksOnRows(locks, 'runs its query, and writes what it gives'),
    creates: [toTableName(created)],
  };
}

export function createView({ query }: Nodes['ViewStmt']): Effect {
  return catalogOnly(lockUnrunQuery(query));
}

type Drop = Nodes['DropStmt'];

/** Kinds of objects whose drop, without CASCADE, locks no table. */
const apartFromTables: readonly Drop['removeType'][] = [
  'OBJECT_VIEW',
  'OBJECT_SEQUENCE',
  'OBJECT_FUNCTION',
  'OBJECT_PROCEDURE',
  'OBJECT_ROUTINE',
  'OBJECT_AGGREGATE',
  'OBJECT_TYPE',
  'OBJECT_DOMAIN',
  'OBJECT_SCHEMA',
  'OBJECT_COLLATION',
  'OBJECT_EVENT_TRIGGER',
];

/** DROP of nearly everything. With CASCADE only of tables: else nobody knows what goes with it. */
export function drop({ objects = [], removeType, behavior, concurrent }: Drop): Effect | undefined {
  const isCascade = behavior === 'DROP_CASCADE';
  const names = objects.map((object) => readWords('List' in object ? object.List.items : [object]));
  switch (removeType) {
    case 'OBJECT_TABLE':
    case 'OBJECT_FOREIGN_TABLE':
      return catalogOnly(names.flatMap(dropTable), 'catalog only; its rows are gone');
    case 'OBJECT_MATVIEW':
      return isCascade ? undefined : catalogOnly(names.map((name) => own(name)));
    case 'OBJECT_INDEX':
      return isCascade ? undefined : dropIndex(names, concurrent === true);
    case 'OBJECT_TRIGGER':
    case 'OBJECT_RULE':
    case 'OBJECT_POLICY':
      // The last word is that of the object, and those before it are the table's.
      return isCascade ? undefined : catalogOnly(names.map((name) => own(name.slice(0, -1))));
    default:
      return !isCascade && apartFromTables.includes(removeType) ? catalogOnly([]) : undefined;
  }
}

const own = (name: readonly string[]): TableLock => ({
  name: toQualifiedName(name),
  on: 'itself',
  mode: 'ACCESS EXCLUSIVE',
});

/** The triggers of its foreign keys go from the other tables, too. */
const dropTable = (words: readonly string[]): TableLock[] => [
  own(words),
  ...(
    [
      'its child tables',
      'its parent table',
      'its default partition',
      'tables that it refers to',
      'tables that refer to it',
    ] as const
  ).map((on) => lockBeside(toQualifiedName(words), on, 'ACCESS EXCLUSIVE')),
];

function dropIndex(names: readonly (readonly string[])[], isConcurrent: boolean): Effect {
  const mode = isConcurrent ? 'SHARE UPDATE EXCLUSIVE' : 'ACCESS EXCLUSIVE';
  const locks = names.map((name): TableLock => ({ name: toQualifiedName(name), on: 'its table', mode }));
  return isConcurrent
    ? worksOnRows(locks, 'waits for transactions that may use the index')
    : catalogOnly(locks);
}
