import type { RangeVar } from 'libpg-query';
import type { TableLock } from '../../project.ts';
import { catalogOnly, type Effect } from '../effect.ts';
import { lockBeside, lockOf, lockTree, toQualifiedName, toTableName } from '../locks.ts';
import { type Nodes, readWords } from '../parse.ts';
import { lockUnrunQuery } from './query.ts';

export function createTrigger({ relation, constrrel }: Nodes['CreateTrigStmt']): Effect | undefined {
  if (relation === undefined) return undefined;
  return catalogOnly([
    lockOf(relation, 'SHARE ROW EXCLUSIVE'),
    lockBeside(toTableName(relation), 'its child tables', 'SHARE ROW EXCLUSIVE'),
    ...(constrrel === undefined ? [] : [lockOf(constrrel, 'ACCESS SHARE')]),
  ]);
}

/** A policy or a rule: its expressions are read as a query is. */
export function lockAgainstAll(table: RangeVar | undefined, expressions: unknown): Effect | undefined {
  if (table === undefined) return undefined;
  return catalogOnly([lockOf(table, 'ACCESS EXCLUSIVE'), ...lockUnrunQuery(expressions)]);
}

export function createStatistics({ relations = [] }: Nodes['CreateStatsStmt']): Effect | undefined {
  const tables = relations.flatMap((one) => ('RangeVar' in one ? [one.RangeVar] : []));
  return tables.length === 0
    ? undefined
    : catalogOnly(tables.map((table) => lockOf(table, 'SHARE UPDATE EXCLUSIVE')));
}

type Kind = Nodes['CommentStmt']['objtype'];

const tables: readonly Kind[] = ['OBJECT_TABLE', 'OBJECT_MATVIEW', 'OBJECT_FOREIGN_TABLE'];
const partsOfTables: readonly Kind[] = [
  'OBJECT_TABCONSTRAINT',
  'OBJECT_TRIGGER',
  'OBJECT_RULE',
  'OBJECT_POLICY',
];
const renamedOnTables: readonly Kind[] = [...tables, ...partsOfTables, 'OBJECT_COLUMN', 'OBJECT_VIEW'];
/** What is no table, or no part of one. */
const apartFromTables: readonly Kind[] = [
  'OBJECT_AGGREGATE',
  'OBJECT_COLLATION',
  'OBJECT_DATABASE',
  'OBJECT_DOMAIN',
  'OBJECT_EVENT_TRIGGER',
  'OBJECT_FUNCTION',
  'OBJECT_INDEX',
  'OBJECT_PROCEDURE',
  'OBJECT_ROLE',
  'OBJECT_ROUTINE',
  'OBJECT_SCHEMA',
  'OBJECT_SEQUENCE',
  'OBJECT_TABLESPACE',
  'OBJECT_TYPE',
];

export function comment({ objtype, object }: Nodes['CommentStmt']): Effect | undefined {
  const words = object !== undefined && 'List' in object ? readWords(object.List.items) : [];
  const on = (name: readonly string[], mode: TableLock['mode']): Effect =>
    catalogOnly([{ name: toQualifiedName(name), on: 'itself', mode }]);
  if (tables.includes(objtype)) return on(words, 'SHARE UPDATE EXCLUSIVE');
  if (objtype === 'OBJECT_COLUMN') return on(words.slice(0, -1), 'SHARE UPDATE EXCLUSIVE');
  if (partsOfTables.includes(objtype)) return on(words.slice(0, -1), 'ACCESS SHARE');
  return objtype === 'OBJECT_VIEW' || apartFromTables.includes(objtype) ? catalogOnly([]) : undefined;
}

export function rename({ renameType, relationType, relation }: Nodes['RenameStmt']): Effect | undefined {
  if (apartFromTables.includes(renameType)) return catalogOnly([]);
  if (relation === undefined || !renamedOnTables.includes(renameType)) return undefined;
  if (renameType === 'OBJECT_COLUMN' && relationType === 'OBJECT_TYPE') return undefined;
  return catalogOnly(lockTree(relation, 'ACCESS EXCLUSIVE'));
}

export function setSchema({ objectType, relation }: Nodes['AlterObjectSchemaStmt']): Effect | undefined {
  if (apartFromTables.includes(objectType)) return catalogOnly([]);
  if (relation === undefined) return undefined;
  return catalogOnly([lockOf(relation, 'ACCESS EXCLUSIVE')]);
}

/** GRANT and REVOKE: the row of the catalog is locked. PostgreSQL 18 opens the table as a reader, too. */
export function grant({ objects = [], objtype }: Nodes['GrantStmt']): Effect {
  const granted = objtype === 'OBJECT_TABLE' ? objects : [];
  return catalogOnly(
    granted.flatMap((one) =>
      'RangeVar' in one ? [lockBeside(toTableName(one.RangeVar), 'itself', 'ACCESS SHARE')] : [],
    ),
  );
}

/** A sequence is locked, and the table of the column that owns it is opened as by a reader. */
export function changeSequence({ options = [] }: Nodes['CreateSeqStmt'] | Nodes['AlterSeqStmt']): Effect {
  const owners = options.flatMap((option) =>
    'DefElem' in option && option.DefElem.defname === 'owned_by' ? [option.DefElem.arg] : [],
  );
  return catalogOnly(
    owners.flatMap((owner) => {
      const table = owner !== undefined && 'List' in owner ? readWords(owner.List.items).slice(0, -1) : [];
      return table.length === 0 ? [] : [lockBeside(toQualifiedName(table), 'itself', 'ACCESS SHARE')];
    }),
  );
}
