import { catalogOnly, type Effect, joinEffects, worksOnRows } from '../effect.ts';
import { lockOf } from '../locks.ts';
import type { Node, NodeName, Nodes, Parse } from '../parse.ts';
import { alterTable } from './alter-table.ts';
import { createFunction } from './functions-made.ts';
import { cluster, createIndex, lockTables, refresh, reindex, truncate, vacuum } from './maintenance.ts';
import {
  changeSequence,
  comment,
  createStatistics,
  createTrigger,
  grant,
  lockAgainstAll,
  rename,
  setSchema,
} from './objects.ts';
import { lockQuery, lockUnrunQuery } from './query.ts';
import { createFromQuery, createTable, createView, drop } from './tables.ts';

type Reader<Name extends NodeName> = (statement: Nodes[Name], parse: Parse) => Effect | undefined;
type Readers = { readonly [Name in NodeName]?: Reader<Name> };

/** What a statement does to others. Undefined: it is not known. */
export function readEffect(node: Node, parse: Parse): Effect | undefined {
  // The parser gives each node as an object of one key, its name.
  const [name] = Object.keys(node) as NodeName[];
  if (name === undefined) return undefined;
  if (noTables.has(name)) return catalogOnly([]);
  if (noWork.has(name)) return { ...catalogOnly([]), work: noWork.get(name) ?? '' };
  return readAs(name, node, parse);
}

function readAs<Name extends NodeName>(name: Name, node: Partial<Nodes>, parse: Parse): Effect | undefined {
  const reader: Reader<Name> | undefined = readers[name];
  const statement: Nodes[Name] | undefined = node[name];
  return statement === undefined ? undefined : reader?.(statement, parse);
}

const session = 'settings of this session only';
const transaction = 'begins or ends a transaction';

/** What does not even write to the catalog. */
const noWork: ReadonlyMap<NodeName, string> = new Map<NodeName, string>([
  ['TransactionStmt', transaction],
  ['VariableSetStmt', session],
  ['VariableShowStmt', session],
  ['DeallocateStmt', session],
  ['ListenStmt', session],
  ['UnlistenStmt', session],
  ['NotifyStmt', 'a message to who listens'],
  ['CheckPointStmt', 'writes what is changed in memory to the disk'],
]);

/** What changes the catalog, and locks no table. */
const noTables: ReadonlySet<NodeName> = new Set<NodeName>([
  'AlterDatabaseSetStmt',
  'AlterDatabaseStmt',
  'AlterDefaultPrivilegesStmt',
  'AlterEnumStmt',
  'AlterFunctionStmt',
  'AlterRoleSetStmt',
  'AlterRoleStmt',
  'AlterSystemStmt',
  'CompositeTypeStmt',
  'CreateCastStmt',
  'CreateDomainStmt',
  'CreateEnumStmt',
  'CreateEventTrigStmt',
  'CreateRangeStmt',
  'CreateRoleStmt',
  'CreatedbStmt',
  'DefineStmt',
  'DropRoleStmt',
  'DropdbStmt',
  'GrantRoleStmt',
]);

const changesRows = (statement: object): Effect | undefined => {
  const locks = lockQuery(statement);
  return locks === undefined ? undefined : worksOnRows(locks, 'reads and writes rows; and what triggers do');
};

/** One for each kind of statement that is known, by the parser's name of it. */
const readers: Readers = {
  AlterTableStmt: alterTable,
  CreateStmt: createTable,
  CreateTableAsStmt: ({ query, into }) => createFromQuery(query, into?.rel),
  ViewStmt: createView,
  DropStmt: drop,
  IndexStmt: createIndex,
  ReindexStmt: reindex,
  VacuumStmt: vacuum,
  ClusterStmt: cluster,
  RefreshMatViewStmt: refresh,
  TruncateStmt: truncate,
  LockStmt: lockTables,
  CreateTrigStmt: createTrigger,
  RuleStmt: ({ relation, actions, whereClause }) => lockAgainstAll(relation, [actions, whereClause]),
  CreatePolicyStmt: ({ table, qual, with_check }) => lockAgainstAll(table, [qual, with_check]),
  AlterPolicyStmt: ({ table, qual, with_check }) => lockAgainstAll(table, [qual, with_check]),
  CreateStatsStmt: createStatistics,
  CommentStmt: comment,
  RenameStmt: rename,
  AlterObjectSchemaStmt: setSchema,
  AlterOwnerStmt: () => catalogOnly([]),
  GrantStmt: grant,
  CreateSeqStmt: changeSequence,
  AlterSeqStmt: changeSequence,
  CreateFunctionStmt: createFunction,
  CreateSchemaStmt: ({ schemaElts = [] }, parse) => {
    const effects = schemaElts.map((one) => readEffect(one, parse));
    const known = effects.filter((effect) => effect !== undefined);
    return known.length < effects.length ? undefined : joinEffects([catalogOnly([]), ...known]);
  },
  SelectStmt: (statement) => {
    if (statement.intoClause !== undefined)
      return createFromQuery({ SelectStmt: statement }, statement.intoClause.rel);
    const locks = lockQuery({ SelectStmt: statement });
    return locks === undefined ? undefined : worksOnRows(locks, 'reads rows');
  },
  InsertStmt: (statement) => changesRows(statement),
  DeleteStmt: (statement) => changesRows(statement),
  MergeStmt: (statement) => changesRows(statement),
  UpdateStmt: (statement) => {
    const effect = changesRows(statement);
    // Each row gets a new version, and the old ones go with the next vacuum.
    const isWhole = statement.whereClause === undefined && statement.relation !== undefined;
    return effect === undefined || !isWhole
      ? effect
      : { ...effect, rewrites: effect.locks.find(({ on }) => on === 'itself')?.name ?? '' };
  },
  CopyStmt: ({ relation, query, is_from }) => {
    if (relation === undefined) {
      const locks = lockQuery(query);
      return locks === undefined ? undefined : worksOnRows(locks, 'reads rows');
    }
    return is_from === true
      ? changesRows({ relation })
      : worksOnRows([lockOf(relation, 'ACCESS SHARE')], 'reads rows');
  },
  ExplainStmt: ({ query }, parse) => (query === undefined ? undefined : readEffect(query, parse)),
  PrepareStmt: ({ query }) => worksOnRows(lockUnrunQuery(query), 'reads the catalog'),
  DeclareCursorStmt: ({ query }, parse) => (query === undefined ? undefined : readEffect(query, parse)),
};
