import { getTableConfig, type PgTable } from 'drizzle-orm/pg-core';
import { fills, orders, sessions } from '../../src/schema/index.ts';

/** The schema as a mermaid ER diagram, with every column. */
export function erDiagram(): string {
  return [
    '```mermaid',
    'erDiagram',
    ...references(),
    ...[sessions, orders, fills].flatMap((table) => entity(table)),
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
  const { name, columns, foreignKeys } = getTableConfig(table);
  const referring = new Set(
    foreignKeys.flatMap((key) => key.reference().columns.map((column) => column.name)),
  );
  return [
    `  ${name} {`,
    ...columns.map(
      (column) =>
        `    ${column.getSQLType()} ${column.name}${column.primary ? ' PK' : referring.has(column.name) ? ' FK' : ''}`,
    ),
    '  }',
  ];
}
