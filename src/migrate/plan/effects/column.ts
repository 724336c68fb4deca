import type { ColumnDef, Constraint, TypeName } from 'libpg-query';
import type { Rewrite, TableLock } from '../../project.ts';
import { lockOf } from '../locks.ts';
import { isRecord, type Node, readNames, readWords, walk } from '../parse.ts';
import { stableFunctions, volatileFunctions } from './functions.ts';

/** What a column costs a table that has rows. */
export interface ColumnEffect {
  readonly rewrite: Rewrite;
  readonly work: readonly string[];
  readonly locks: readonly TableLock[];
}

/** Types of PostgreSQL itself. Any other may be a domain, whose checks have every row written. */
const ownTypes: ReadonlySet<string> = new Set(
  `bool int2 int4 int8 float4 float8 numeric text varchar bpchar char name bytea date time timetz timestamp timestamptz
  interval json jsonb uuid inet cidr macaddr bit varbit money xml oid int4range int8range numrange tsrange tstzrange
  daterange tsvector tsquery point`.split(/\s+/),
);
const serialTypes = /^(small|big)?serial[248]?$/;

/** Constraints that say when another one is checked: they cost nothing themselves. */
const attributes: readonly Constraint['contype'][] = [
  'CONSTR_NULL',
  'CONSTR_ATTR_DEFERRABLE',
  'CONSTR_ATTR_NOT_DEFERRABLE',
  'CONSTR_ATTR_DEFERRED',
  'CONSTR_ATTR_IMMEDIATE',
  'CONSTR_ATTR_ENFORCED',
  'CONSTR_ATTR_NOT_ENFORCED',
];

/** ADD COLUMN: a default that is one value for all rows stands in the catalog; any other is written into every row. */
export function addedColumn({ typeName, constraints = [] }: ColumnDef): ColumnEffect {
  const parts = constraints.flatMap((one) =>
    'Constraint' in one ? [constraintOfColumn(one.Constraint)] : [],
  );
  const all = [typeOfColumn(typeName), ...parts];
  const answers = all.map(({ rewrite }) => rewrite);
  return {
    rewrite: answers.includes('yes') ? 'yes' : answers.includes('depends') ? 'depends' : 'no',
    work: all.flatMap(({ work }) => work),
    locks: all.flatMap(({ locks }) => locks),
  };
}

const nothing: ColumnEffect = { rewrite: 'no', work: [], locks: [] };

const costs = (rewrite: Rewrite, work: string, locks: readonly TableLock[] = []): ColumnEffect => ({
  rewrite,
  work: [work],
  locks,
});

const isOwnType = (words: readonly string[]): boolean =>
  (words.length === 1 || words[0] === 'pg_catalog') && ownTypes.has(words.at(-1) ?? '');

function typeOfColumn(type: TypeName | undefined): ColumnEffect {
  const words = readWords(type?.names);
  if (words.length === 1 && serialTypes.test(words[0] ?? '')) return costs('yes', 'numbers every row');
  if (isOwnType(words)) return nothing;
  return costs('depends', `rewrites the table where ${words.join('.')} is a domain with checks`);
}

function constraintOfColumn(constraint: Constraint): ColumnEffect {
  switch (constraint.contype) {
    case 'CONSTR_DEFAULT':
      return fallbackOfColumn(constraint.raw_expr);
    case 'CONSTR_IDENTITY':
      return costs('yes', 'numbers every row');
    case 'CONSTR_GENERATED':
      // A virtual one came with PostgreSQL 18.
      return constraint.generated_kind === 'v'
        ? nothing
        : costs('yes', 'computes the column for every row, and writes it');
    case 'CONSTR_NOTNULL':
    case 'CONSTR_CHECK':
      return costs('no', 'reads every row to check it');
    case 'CONSTR_UNIQUE':
    case 'CONSTR_PRIMARY':
      return costs('no', 'builds an index');
    case 'CONSTR_FOREIGN':
      return costs(
        'no',
        'adds a foreign key',
        constraint.pktable === undefined ? [] : [lockOf(constraint.pktable, 'SHARE ROW EXCLUSIVE')],
      );
    default:
      return attributes.includes(constraint.contype)
        ? nothing
        : costs('depends', 'may rewrite the table: a constraint that is not known');
  }
}

function fallbackOfColumn(expression: Node | undefined): ColumnEffect {
  const calls: string[] = [];
  let isPlain = true;
  walk(expression, (node) => {
    const [kind] = Object.keys(node);
    if (Array.isArray(node['names'])) isPlain &&= isOwnType(readNames(node['names']));
    if (isRecord(node['FuncCall'])) {
      const words = readNames(node['FuncCall']['funcname']);
      calls.push(words.length === 1 || words[0] === 'pg_catalog' ? (words.at(-1) ?? '') : words.join('.'));
    } else if (kind !== undefined && /^[A-Z]/.test(kind) && !plainNodes.has(kind)) isPlain = false;
    return true;
  });
  if (calls.some((name) => volatileFunctions.has(name)))
    return costs('yes', 'rewrites the table: the default is computed for every row');
  if (isPlain && calls.every((name) => stableFunctions.has(name))) return nothing;
  return costs('depends', 'rewrites the table where the default is volatile');
}

/** A cast to a type of PostgreSQL's own counts as plain: what reads it is never volatile. */
const plainNodes: ReadonlySet<string> = new Set([
  'A_Const',
  'A_ArrayExpr',
  'TypeCast',
  'TypeName',
  'String',
  'Integer',
  'SQLValueFunction',
  'FuncCall',
]);
