import { is, SQL } from 'drizzle-orm';
import { getTableConfig, PgDialect, type PgTable } from 'drizzle-orm/pg-core';
import { fills, orders, sessions } from '../src/schema/index.ts';

/** The schema as a mermaid ER diagram: keys, and the columns that an index reads. The rest is a count. */
export function erDiagram(): string {
  return draw((table) => entity(table, isIndexed(table)));
}

/** The same with every column. */
export function completeErDiagram(): string {
  return draw((table) => entity(table, () => true));
}

const draw = (one: (table: PgTable) => string[]): string =>
  [
    '```mermaid',
    'erDiagram',
    ...references(),
    ...[sessions, orders, fills].flatMap((table) => one(table)),
    '```',
  ].join('\n');

type TableColumn = ReturnType<typeof getTableConfig>['columns'][number];

function references(): string[] {
  return [orders, fills].flatMap((table) => {
    const { name, foreignKeys } = getTableConfig(table);
    return foreignKeys.map((key) => {
      const { columns, foreignTable } = key.reference();
      return `  ${getTableConfig(foreignTable).name} |o--o{ ${name} : ${columns.map((column) => column.name).join(', ')}`;
    });
  });
}

/** Whether a column is a key, or an index reads it, or the database has a default for it. */
function isIndexed(table: PgTable): (column: TableColumn) => boolean {
  const { foreignKeys, indexes } = getTableConfig(table);
  const names = new Set([
    ...foreignKeys.flatMap((key) => key.reference().columns.map((column) => column.name)),
    ...indexes.flatMap((index) =>
      index.config.columns.flatMap((column) => {
        if ('name' in column && column.name !== undefined) return [column.name];
        // An expression: the words of it that are columns.
        return is(column, SQL) ? new PgDialect().sqlToQuery(column).sql.split(/\W+/) : [];
      }),
    ),
  ]);
  return (column) => column.primary || column.hasDefault || names.has(column.name);
}

function entity(table: PgTable, isShown: (column: TableColumn) => boolean): string[] {
  const { name, columns, foreignKeys } = getTableConfig(table);
  const references = new Set(
    foreignKeys.flatMap((key) => key.reference().columns.map((column) => column.name)),
  );
  const shown = columns.filter(isShown);
  const keyOf = (column: TableColumn) => (column.primary ? ' PK' : references.has(column.name) ? ' FK' : '');
  const left = columns.length - shown.length;
  return [
    `  ${name} {`,
    ...shown.map((column) => `    ${column.getSQLType()} ${column.name}${keyOf(column)}`),
    ...(left > 0 ? [`    and ${left}_more_columns`] : []),
    '  }',
  ];
}
