import type { RangeVar } from 'libpg-query';
import type { TableLock } from '../../project.ts';
import { lockBeside, lockOf, lockTree, toTableName } from '../locks.ts';
import { isRecord, readNames, walk } from '../parse.ts';
import { harmlessFunctions } from './functions.ts';

type Tree = Readonly<Record<string, unknown>>;
type Names = ReadonlySet<string>;

const none: Names = new Set();

/**
 * The locks of a query or of statements that change rows, wherever in them. Undefined where a function is called that may
 * do anything.
 */
export function lockQuery(query: unknown): TableLock[] | undefined {
  return callsOnlyHarmless(query) ? lockUnrunQuery(query) : undefined;
}

/** The locks of a query that is read and not run: that of a view, a policy, a function. */
export function lockUnrunQuery(query: unknown): TableLock[] {
  const locks: TableLock[] = [];
  collect(query, none, locks);
  return locks;
}

/** Does nothing in it call a function that may do anything? */
export function callsOnlyHarmless(tree: unknown): boolean {
  let isHarmless = true;
  walk(tree, (node) => {
    if (Array.isArray(node['funcname'])) {
      const words = readNames(node['funcname']);
      const isBuiltIn = words.length === 1 || words[0] === 'pg_catalog';
      isHarmless &&= isBuiltIn && harmlessFunctions.has(words.at(-1) ?? '');
    }
    return isHarmless;
  });
  return isHarmless;
}

const isTable = (node: unknown): node is Tree & RangeVar =>
  isRecord(node) && typeof node['relname'] === 'string';

/** `ctes`: names that stand for a query of WITH here, and not for a table. */
function collect(tree: unknown, ctes: Names, locks: TableLock[]): void {
  if (Array.isArray(tree)) {
    for (const one of tree) collect(one, ctes, locks);
    return;
  }
  if (!isRecord(tree)) return;
  if (isTable(tree)) {
    const isQuery = tree.schemaname === undefined && ctes.has(tree.relname ?? '');
    if (!isQuery) locks.push(...readLocks(tree));
    return;
  }
  const inner = collectWith(tree['withClause'], ctes, locks);
  const { withClause: _with, intoClause: _into, relation, lockingClause, ...rest } = tree;
  if (isTable(relation)) locks.push(...changeLocks(relation));
  if (Array.isArray(lockingClause)) locks.push(...lockRows(tree['fromClause'], lockingClause, inner));
  for (const one of Object.values(rest)) collect(one, inner, locks);
}

/** A query of WITH sees those before it, and with RECURSIVE all of them; the statement sees all. */
function collectWith(clause: unknown, outer: Names, locks: TableLock[]): Names {
  if (!isRecord(clause) || !Array.isArray(clause['ctes'])) return outer;
  const queries = clause['ctes'].flatMap((one) => {
    const query = isRecord(one) ? one['CommonTableExpr'] : undefined;
    return isRecord(query) ? [query] : [];
  });
  const names = queries.map((query) => String(query['ctename']));
  for (const [at, query] of queries.entries()) {
    const visible = clause['recursive'] === true ? names : names.slice(0, at);
    collect(query['ctequery'], new Set([...outer, ...visible]), locks);
  }
  return new Set([...outer, ...names]);
}

/** Reading the catalog is in nobody's way. */
const isCatalog = ({ schemaname, relname = '' }: RangeVar): boolean =>
  schemaname === 'information_schema' ||
  (/^pg_/.test(relname) && (schemaname ?? 'pg_catalog') === 'pg_catalog');

/** A view stands for the tables that its query reads. */
function readLocks(table: RangeVar): TableLock[] {
  if (isCatalog(table)) return [];
  return [
    ...lockTree(table, 'ACCESS SHARE'),
    lockBeside(toTableName(table), 'tables that its query reads', 'ACCESS SHARE'),
  ];
}

/** Rows of the table are changed. Foreign keys look at the tables on their other side, and CASCADE changes them. */
function changeLocks(table: RangeVar): TableLock[] {
  const name = toTableName(table);
  return [
    lockOf(table, 'ROW EXCLUSIVE'),
    lockBeside(name, 'its child tables', 'ROW EXCLUSIVE'),
    lockBeside(name, 'tables that its query reads', 'ROW EXCLUSIVE'),
    lockBeside(name, 'tables that it refers to', 'ROW SHARE'),
    lockBeside(name, 'tables that refer to it', 'ROW EXCLUSIVE'),
  ];
}

/** FOR UPDATE and its like: the tables that it names, by name or alias, or all of FROM. */
function lockRows(from: unknown, clauses: readonly unknown[], ctes: Names): TableLock[] {
  const locks: TableLock[] = [];
  const named: string[] = [];
  let isAll = false;
  for (const clause of clauses) {
    const locking = isRecord(clause) ? clause['LockingClause'] : undefined;
    const relations = isRecord(locking) ? locking['lockedRels'] : undefined;
    if (!Array.isArray(relations)) isAll = true;
    walk(relations, (node) => {
      if (typeof node['relname'] === 'string') named.push(node['relname']);
      return true;
    });
  }
  walk(from, (node) => {
    if (!isTable(node)) return true;
    const called = node.alias?.aliasname ?? node.relname ?? '';
    const isQuery = node.schemaname === undefined && ctes.has(node.relname ?? '');
    if (!isQuery && (isAll || named.includes(called))) {
      locks.push(...lockTree(node, 'ROW SHARE'));
      locks.push(lockBeside(toTableName(node), 'tables that its query reads', 'ROW SHARE'));
    }
    return true;
  });
  return locks;
}
