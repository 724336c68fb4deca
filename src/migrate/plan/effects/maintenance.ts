import type { Node, RangeVar } from 'libpg-query';
import type { TableLock } from '../../project.ts';
import { type Effect, joinEffects, worksOnRows } from '../effect.ts';
import { lockBeside, lockModes, lockOf, lockTree, mergeLocks, toTableName } from '../locks.ts';
import { isOn, isRecord, type Nodes, readNames, walk } from '../parse.ts';

/** Writes the file of a table anew, with its indexes. */
const rewritesAll = (table: RangeVar, locks: readonly TableLock[], work: string): Effect => ({
  locks: mergeLocks(locks),
  rewrite: 'yes',
  work,
  isQuick: false,
  rewrites: toTableName(table),
});

/** VACUUM and ANALYZE of tables that are named: without a name it is every table, and which these are is not known here. */
export function vacuum({ rels = [], options, is_vacuumcmd }: Nodes['VacuumStmt']): Effect | undefined {
  const tables = rels.flatMap((one) =>
    'VacuumRelation' in one && one.VacuumRelation.relation !== undefined ? [one.VacuumRelation.relation] : [],
  );
  if (tables.length === 0) return undefined;
  const isFull = is_vacuumcmd === true && isOn(options, 'full');
  return joinEffects(
    tables.map((table) =>
      isFull
        ? rewritesAll(table, lockTree(table, 'ACCESS EXCLUSIVE'), 'rewrites the table and its indexes')
        : worksOnRows(
            [
              lockOf(table, 'SHARE UPDATE EXCLUSIVE'),
              lockBeside(toTableName(table), 'its child tables', 'SHARE UPDATE EXCLUSIVE'),
            ],
            is_vacuumcmd === true ? 'reads the table and its indexes' : 'reads a sample of the rows',
          ),
    ),
  );
}

export function cluster({ relation }: Nodes['ClusterStmt']): Effect | undefined {
  if (relation === undefined) return undefined;
  return rewritesAll(
    relation,
    lockTree({ ...relation, inh: true }, 'ACCESS EXCLUSIVE'),
    'rewrites the table and its indexes, in the order of an index',
  );
}

export function reindex({ kind, relation, params }: Nodes['ReindexStmt']): Effect | undefined {
  if (relation === undefined) return undefined;
  const isConcurrent = isOn(params, 'concurrently');
  const mode = isConcurrent ? 'SHARE UPDATE EXCLUSIVE' : 'SHARE';
  const work = isConcurrent
    ? 'builds the indexes anew beside the old ones; waits for transactions that were open when it began'
    : 'builds the indexes anew; who would use them waits';
  if (kind === 'REINDEX_OBJECT_INDEX')
    return worksOnRows([{ name: toTableName(relation), on: 'its table', mode }], work);
  if (kind === 'REINDEX_OBJECT_TABLE')
    return worksOnRows(
      [lockOf(relation, mode), lockBeside(toTableName(relation), 'its child tables', mode)],
      work,
    );
  return undefined;
}

export function refresh({ relation, concurrent }: Nodes['RefreshMatViewStmt']): Effect | undefined {
  if (relation === undefined) return undefined;
  const query = lockBeside(toTableName(relation), 'tables that its query reads', 'ACCESS SHARE');
  return concurrent === true
    ? worksOnRows([lockOf(relation, 'EXCLUSIVE'), query], 'runs its query, and writes what differs')
    : rewritesAll(
        relation,
        [lockOf(relation, 'ACCESS EXCLUSIVE'), query],
        'runs its query, and writes all of it anew',
      );
}

/** The old file goes at the end of the transaction: nothing is written for it. */
export function truncate({ relations = [], behavior }: Nodes['TruncateStmt']): Effect {
  const tables = relations.flatMap((one) => ('RangeVar' in one ? [one.RangeVar] : []));
  return {
    locks: mergeLocks(
      tables.flatMap((table) => [
        ...lockTree(table, 'ACCESS EXCLUSIVE'),
        ...(behavior === 'DROP_CASCADE'
          ? [lockBeside(toTableName(table), 'tables that refer to it', 'ACCESS EXCLUSIVE')]
          : []),
      ]),
    ),
    rewrite: 'yes',
    work: 'gives the table a new, empty file; its rows are gone',
    isQuick: true,
  };
}

/** LOCK TABLE, which of a view locks what its query reads. */
export function lockTables({ relations = [], mode = 0 }: Nodes['LockStmt']): Effect | undefined {
  const name = lockModes[mode - 1];
  if (name === undefined) return undefined;
  const tables = relations.flatMap((one: Node) => ('RangeVar' in one ? [one.RangeVar] : []));
  return worksOnRows(
    tables.flatMap((table) => [
      ...lockTree(table, name),
      lockBeside(toTableName(table), 'tables that its query reads', name),
    ]),
    'nothing; the lock is held to the end of the transaction',
  );
}

export function createIndex(statement: Nodes['IndexStmt']): Effect | undefined {
  const { relation, concurrent, indexParams, indexIncludingParams } = statement;
  if (relation === undefined) return undefined;
  const effect =
    concurrent === true
      ? worksOnRows(
          [lockOf(relation, 'SHARE UPDATE EXCLUSIVE')],
          'reads the table twice; waits for transactions that were open when it began',
        )
      : worksOnRows(lockTree(relation, 'SHARE'), 'reads the table once');
  const columns = listColumns([indexParams, indexIncludingParams]);
  return { ...effect, builds: [{ table: toTableName(relation), columns }] };
}

/** Columns of an index, also those in expressions. */
function listColumns(parameters: unknown): string[] {
  const columns = new Set<string>();
  walk(parameters, (node) => {
    const element = node['IndexElem'];
    if (isRecord(element) && typeof element['name'] === 'string') columns.add(element['name']);
    const reference = node['ColumnRef'];
    if (isRecord(reference)) for (const name of readNames(reference['fields'])) columns.add(name);
    return true;
  });
  return [...columns];
}
