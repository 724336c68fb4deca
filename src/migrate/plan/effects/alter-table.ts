import type { AlterTableCmd, AlterTableStmt, Constraint, RangeVar } from 'libpg-query';
import type { LockMode, Rewrite, TableLock } from '../../project.ts';
import { catalogOnly, type Effect, joinEffects } from '../effect.ts';
import { lockBeside, lockOf, lockTree, mergeLocks, toTableName } from '../locks.ts';
import { readWords } from '../parse.ts';
import { commandFacts, sharedParameters } from './alter-commands.ts';
import { addedColumn } from './column.ts';

/** ALTER TABLE, INDEX, VIEW, SEQUENCE …: PostgreSQL takes the strongest lock of all its subcommands first. */
export function alterTable({ relation, cmds = [], objtype }: AlterTableStmt): Effect | undefined {
  if (relation === undefined || objtype === 'OBJECT_TYPE') return undefined;
  const commands = cmds.flatMap((cmd) => ('AlterTableCmd' in cmd ? [cmd.AlterTableCmd] : []));
  if (objtype === 'OBJECT_SEQUENCE') return catalogOnly([]);
  if (objtype === 'OBJECT_INDEX') return alterIndex(commands);
  const effects = commands.map((command) => readCommand(command, relation));
  const known = effects.filter((effect) => effect !== undefined);
  return known.length < effects.length || known.length === 0 ? undefined : joinEffects(known);
}

/** The index is locked, and its table is not. */
function alterIndex(commands: readonly AlterTableCmd[]): Effect | undefined {
  const isQuick = commands.every(
    ({ subtype }) =>
      subtype === 'AT_SetRelOptions' || subtype === 'AT_ResetRelOptions' || subtype === 'AT_SetStatistics',
  );
  return isQuick ? catalogOnly([], 'catalog only; locks the index itself') : undefined;
}

function readCommand(command: AlterTableCmd, table: RangeVar): Effect | undefined {
  const { subtype, def } = command;
  const facts = subtype === undefined ? undefined : commandFacts[subtype];
  if (facts !== undefined) {
    const name = toTableName(table);
    const beside = facts.beside;
    return describe(table, facts.mode, facts.rewrite, facts.work, facts.isQuick, [
      ...(beside === undefined ? [] : besideKeys(name, beside)),
    ]);
  }
  switch (subtype) {
    case 'AT_AddColumn':
      return addColumn(command, table);
    case 'AT_AddConstraint':
      return def !== undefined && 'Constraint' in def ? addConstraint(def.Constraint, table) : undefined;
    case 'AT_SetRelOptions':
    case 'AT_ResetRelOptions':
      return catalogOnly(lockTree(table, parametersMode(command)));
    case 'AT_AttachPartition':
    case 'AT_DetachPartition':
    case 'AT_DetachPartitionFinalize':
      return changePartition(command, table);
    case 'AT_AddInherit':
    case 'AT_DropInherit': {
      if (def === undefined || !('RangeVar' in def)) return undefined;
      const parentMode = subtype === 'AT_AddInherit' ? 'SHARE UPDATE EXCLUSIVE' : 'ACCESS SHARE';
      return catalogOnly([...lockTree(table, 'ACCESS EXCLUSIVE'), lockOf(def.RangeVar, parentMode)]);
    }
    default:
      return undefined;
  }
}

const besideKeys = (name: string, mode: LockMode): TableLock[] => [
  lockBeside(name, 'tables that it refers to', mode),
  lockBeside(name, 'tables that refer to it', mode),
];

function describe(
  table: RangeVar,
  mode: LockMode,
  rewrite: Rewrite,
  work: string,
  isQuick: boolean,
  beside: readonly TableLock[] = [],
): Effect {
  return {
    locks: mergeLocks([...lockTree(table, mode), ...beside]),
    rewrite,
    work,
    isQuick,
    ...(rewrite === 'no' ? {} : { rewrites: toTableName(table) }),
  };
}

/** `missing_ok`: where the column is there already, IF NOT EXISTS does nothing. */
function addColumn({ def, missing_ok }: AlterTableCmd, table: RangeVar): Effect | undefined {
  if (def === undefined || !('ColumnDef' in def)) return undefined;
  const { rewrite, work, locks } = addedColumn(def.ColumnDef);
  const isUnsure = missing_ok === true && rewrite === 'yes';
  return describe(
    table,
    'ACCESS EXCLUSIVE',
    isUnsure ? 'depends' : rewrite,
    `${work.join('; ') || 'catalog only'}${isUnsure ? ', unless the column is there already' : ''}`,
    work.length === 0,
    missing_ok === true ? locks.map((lock): TableLock => ({ ...lock, may: true })) : locks,
  );
}

function addConstraint(constraint: Constraint, table: RangeVar): Effect | undefined {
  const { contype, skip_validation: isUnvalidated = false, indexname, pktable } = constraint;
  switch (contype) {
    case 'CONSTR_FOREIGN':
      return describe(
        table,
        'SHARE ROW EXCLUSIVE',
        'no',
        isUnvalidated ? 'catalog only' : 'looks every row up in the other table',
        isUnvalidated,
        pktable === undefined ? [] : lockTree(pktable, 'SHARE ROW EXCLUSIVE'),
      );
    case 'CONSTR_CHECK':
    case 'CONSTR_NOTNULL':
      return describe(
        table,
        'ACCESS EXCLUSIVE',
        'no',
        isUnvalidated ? 'catalog only' : 'reads every row',
        isUnvalidated,
      );
    case 'CONSTR_UNIQUE':
    case 'CONSTR_PRIMARY':
    case 'CONSTR_EXCLUSION':
      return indexname === undefined
        ? {
            ...describe(table, 'ACCESS EXCLUSIVE', 'no', 'builds an index', false),
            builds: [{ table: toTableName(table), columns: readWords(constraint.keys) }],
          }
        : describe(table, 'ACCESS EXCLUSIVE', 'no', usesIndex(contype), contype === 'CONSTR_UNIQUE');
    default:
      return undefined;
  }
}

const usesIndex = (contype: string): string =>
  contype === 'CONSTR_PRIMARY'
    ? 'takes an index that is there; reads every row where a column of it may be null'
    : 'catalog only: takes an index that is there';

/** The parameters are in parentheses: the strongest that one of them needs. */
function parametersMode({ def }: AlterTableCmd): LockMode {
  const items = def !== undefined && 'List' in def ? (def.List.items ?? []) : [];
  const names = items.flatMap((item) =>
    'DefElem' in item
      ? [
          `${item.DefElem.defnamespace === undefined ? '' : `${item.DefElem.defnamespace}.`}${item.DefElem.defname}`,
        ]
      : [],
  );
  return names.every((name) => sharedParameters.test(name)) ? 'SHARE UPDATE EXCLUSIVE' : 'ACCESS EXCLUSIVE';
}

function changePartition({ subtype, def }: AlterTableCmd, parent: RangeVar): Effect | undefined {
  if (def === undefined || !('PartitionCmd' in def)) return undefined;
  const { name: partition, concurrent: isConcurrent = false } = def.PartitionCmd;
  if (partition === undefined) return undefined;
  const isAttach = subtype === 'AT_AttachPartition';
  const isShared = isAttach || isConcurrent || subtype === 'AT_DetachPartitionFinalize';
  const name = toTableName(parent);
  return {
    locks: mergeLocks([
      lockOf(parent, isShared ? 'SHARE UPDATE EXCLUSIVE' : 'ACCESS EXCLUSIVE'),
      ...lockTree(partition, 'ACCESS EXCLUSIVE'),
      lockBeside(name, 'its default partition', 'ACCESS EXCLUSIVE'),
      ...besideKeys(name, isAttach ? 'SHARE ROW EXCLUSIVE' : 'ACCESS EXCLUSIVE'),
    ]),
    rewrite: 'no',
    work: isAttach
      ? 'reads the partition, and the default one, unless valid checks prove their bounds; builds its missing indexes'
      : isConcurrent
        ? 'catalog only; waits for transactions that use the table'
        : 'catalog only',
    isQuick: !isAttach,
  };
}
