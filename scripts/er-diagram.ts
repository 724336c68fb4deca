import { is, SQL } from 'drizzle-orm';
import { getTableConfig, PgDialect, type PgTable } from 'drizzle-orm/pg-core';
import { fills, orders, sessions } from '../src/schema/index.ts';

/** The schema as a mermaid ER diagram: keys, and the columns that an index reads. The rest is a count. */
export function erDiagram(): string {
  return [
    '```mermaid',
    'erDiagram',
    ...references(),
    ...[sessions, orders, fills].flatMap(entity),
    '```',
  ].join('\n');
}

function references(): string[] {
  return [orders, fills].flatMap((table) => {
    const { name, foreignKeys } = getTableConfig(table);
    return foreignKeys.map((key) => {
      const { columns, foreignTable } = key.reference();
      return `  ${getTableConfig(foreignTable).name} |o--o{ ${name} : ${columns.map((column) => column.name).join(', ')}`;
    });
  });
}

function entity(table: PgTable): string[] {
  const { name, columns, foreignKeys, indexes } = getTableConfig(table);
  const references = new Set(
    foreignKeys.flatMap((key) => key.reference().columns.map((column) => column.name)),
  );
  const indexed = new Set(
    indexes.flatMap((index) =>
      index.config.columns.flatMap((column) => {
        if ('name' in column && column.name !== undefined) return [column.name];
        // An expression: the words of it that are columns.
        return is(column, SQL) ? new PgDialect().sqlToQuery(column).sql.split(/\W+/) : [];
      }),
    ),
  );
  const shown = columns.filter(
    (column) =>
      column.primary || references.has(column.name) || indexed.has(column.name) || column.hasDefault,
  );
  const keyOf = (column: (typeof columns)[number]) =>
    column.primary ? ' PK' : references.has(column.name) ? ' FK' : '';
  return [
    `  ${name} {`,
    ...shown.map((column) => `    ${column.getSQLType()} ${column.name}${keyOf(column)}`),
    `    and ${columns.length - shown.length}_more_columns`,
    '  }',
  ];
}
