import type { StatementFacts } from '../project.ts';
import { classifyBriefBlock, classifyFrameCall } from './frame.ts';
import { normalizeStatement } from './normalize.ts';

/** `columns` of `do $columns$ …`: the name of a block. */
export function readBlockLabel(sql: string): string | undefined {
  return /^do (?:language \w+ )?\$(\w+)\$/i.exec(normalizeStatement(sql))?.[1];
}

/** Does it end or begin a transaction by itself? */
export function controlsTransaction(sql: string): boolean {
  return /^(begin|start transaction|commit|end|rollback|abort)\b/i.test(normalizeStatement(sql));
}

/** PostgreSQL refuses these inside a transaction. */
export function refusesTransaction(sql: string): boolean {
  const text = normalizeStatement(sql);
  return (
    /^(create (unique )?index|drop index|reindex (index|table|schema|database)|alter table .* detach partition .*) concurrently\b/i.test(
      text,
    ) ||
    /^reindex .*\bconcurrently\b/i.test(text) ||
    /^alter table .* detach partition .* concurrently$/i.test(text) ||
    /^(vacuum|create database|drop database|alter system|create tablespace|drop tablespace)\b/i.test(text)
  );
}

/** Name of the index that a statement builds CONCURRENTLY, as it is written. */
export function readConcurrentIndex(sql: string): string | undefined {
  return /^create (?:unique )?index concurrently (?:if not exists )?("[^"]+"|[\w.]+) on /i.exec(
    normalizeStatement(sql),
  )?.[1];
}

const name = '((?:"[^"]+"|[\\w$]+)(?:\\.(?:"[^"]+"|[\\w$]+))?)';
const rules: readonly [pattern: RegExp, lock: string, work: string][] = [
  [
    new RegExp(
      `^create (?:unique )?index concurrently (?:if not exists )?(?:\\S+ )?on (?:only )?${name}`,
      'i',
    ),
    'SHARE UPDATE EXCLUSIVE: reads and writes go on',
    'scans the table twice; waits for transactions that were open when it began',
  ],
  [
    new RegExp(`^create (?:unique )?index (?:if not exists )?(?:\\S+ )?on (?:only )?${name}`, 'i'),
    'SHARE: writers wait while it is built',
    'scans the table',
  ],
  [
    /^drop index concurrently/i,
    'SHARE UPDATE EXCLUSIVE: reads and writes go on',
    'waits for transactions that may use the index',
  ],
  [/^drop index/i, 'ACCESS EXCLUSIVE on the index and its table', 'catalog only'],
  [
    new RegExp(`^create (?:unlogged )?table (?:if not exists )?${name}`, 'i'),
    'none on tables that exist',
    'catalog only',
  ],
  [
    new RegExp(`^alter table (?:if exists )?(?:only )?${name} validate constraint`, 'i'),
    'SHARE UPDATE EXCLUSIVE: reads and writes go on',
    'scans the table once',
  ],
  [
    new RegExp(
      `^alter table (?:if exists )?(?:only )?${name} alter (?:column )?\\S+ (?:set data )?type\\b`,
      'i',
    ),
    'ACCESS EXCLUSIVE: everybody waits',
    'may rewrite the table and its indexes',
  ],
  [
    new RegExp(
      `^alter table (?:if exists )?(?:only )?${name} add (?:constraint \\S+ )?(?:check|foreign|unique|primary|exclude)(?!.*not valid)`,
      'i',
    ),
    'ACCESS EXCLUSIVE (SHARE ROW EXCLUSIVE for a foreign key) while every row is checked',
    'scans the table',
  ],
  [
    new RegExp(`^alter table (?:if exists )?(?:only )?${name}`, 'i'),
    'ACCESS EXCLUSIVE for some milliseconds',
    'catalog only, unless a default is volatile',
  ],
  [
    new RegExp(`^drop table (?:if exists )?${name}`, 'i'),
    'ACCESS EXCLUSIVE on the table',
    'catalog only; its rows are gone',
  ],
  [
    new RegExp(`^(?:insert into|update(?: only)?|delete from(?: only)?) ${name}`, 'i'),
    'ROW EXCLUSIVE, and the rows that it changes',
    'reads and writes rows',
  ],
  [
    new RegExp(`^(?:vacuum|analyze)(?: \\([^)]*\\))? ${name}`, 'i'),
    'SHARE UPDATE EXCLUSIVE: reads and writes go on',
    'scans the table',
  ],
  [/^comment on/i, 'SHARE UPDATE EXCLUSIVE', 'catalog only'],
  [
    /^create (or replace )?(function|procedure|view|schema|type|sequence|extension)/i,
    'none on tables',
    'catalog only',
  ],
  [/^(set|reset|select set_config|select pg_advisory)/i, 'none', 'settings of this session only'],
  [/^(begin|start transaction|commit|end|rollback)/i, 'none', 'begins or ends a transaction'],
];

/** What a statement locks and does, as far as its text tells. */
export function classifyStatement(sql: string): StatementFacts {
  const text = normalizeStatement(sql);
  const framed = classifyFrameCall(text) ?? classifyBriefBlock(text);
  if (framed !== undefined) return framed;
  for (const [pattern, lock, work] of rules) {
    const match = pattern.exec(text);
    if (match === null) continue;
    const table = match[1];
    const isName = table !== undefined && pattern.source.includes('"[^"]+"');
    return { lock, work, tables: isName ? [table] : [] };
  }
  return { lock: 'not known: read the statement', work: 'not known: read the statement', tables: [] };
}

/** Table of a `create index`, and every word of its definition: its columns are among them. */
export function readColumnNames(sql: string): { table: string; words: readonly string[] } | undefined {
  const match =
    /^create (?:unique )?index (?:concurrently )?(?:if not exists )?(?:\S+ )?on (?:only )?(\S+) (?:using \w+ )?(\(.*)$/i.exec(
      normalizeStatement(sql),
    );
  const [, table, definition] = match ?? [];
  if (table === undefined || definition === undefined) return undefined;
  return { table, words: [...new Set(definition.match(/\w+/g) ?? [])] };
}
