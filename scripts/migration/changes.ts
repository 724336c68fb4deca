import { toName, toPlainSql } from './sql-text.ts';

/** What one statement of drizzle-kit does, as far as a file in the frame can do it on a live table. */
export type Change =
  | { readonly kind: 'index'; readonly index: string; readonly table: string }
  | { readonly kind: 'drop index'; readonly index: string }
  | {
      readonly kind: 'column';
      readonly table: string;
      readonly column: string;
      readonly sql: string;
      /** The default as SQL; undefined where there is none. */
      readonly fallback: string | undefined;
    }
  /** A default: set in milliseconds, and the same when it is set twice. */
  | { readonly kind: 'alter column'; readonly table: string; readonly column: string; readonly sql: string }
  | {
      readonly kind: 'constraint';
      readonly table: string;
      readonly constraint: string;
      readonly sql: string;
      /** The table that a foreign key refers to. */
      readonly refersTo: string | undefined;
    }
  | { readonly kind: 'table'; readonly table: string; readonly sql: string }
  | { readonly kind: 'refused'; readonly reason: RefusedKind };

/** Why a statement can't be put into the frame: see `safeWays`. */
export type RefusedKind =
  | 'not null'
  | 'type'
  | 'required column'
  | 'unique constraint'
  | 'drop'
  | 'rename'
  | 'other';

const name = '("(?:""|[^"])+"(?:\\."(?:""|[^"])+")?)';
const statement = (pattern: string): RegExp => new RegExp(`^${pattern}`, 'is');

/** By the forms that drizzle-kit writes; the first that fits. What it writes otherwise is not guessed at. */
const forms: readonly [RegExp, (match: RegExpExecArray, sql: string) => Change][] = [
  [
    statement(`create (?:unique )?index ${name} on ${name}`),
    ([, index = '', table = '']) => ({ kind: 'index', index: toName(index), table: toName(table) }),
  ],
  [statement(`drop index ${name}`), ([, index = '']) => ({ kind: 'drop index', index: toName(index) })],
  [
    statement(`create table ${name}`),
    ([, table = ''], sql) => ({ kind: 'table', table: toName(table), sql: toPlainSql(sql) }),
  ],
  [
    statement(`alter table ${name} add column ${name} (.*)`),
    ([, table = '', column = '', rest = ''], sql) => readColumn(toName(table), toName(column), rest, sql),
  ],
  [
    statement(`alter table ${name} alter column ${name} (set default|drop default)`),
    ([, table = '', column = ''], sql) => ({
      kind: 'alter column',
      table: toName(table),
      column: toName(column),
      sql: toPlainSql(sql),
    }),
  ],
  [statement(`alter table ${name} alter column ${name} set not null`), () => refused('not null')],
  [statement(`alter table ${name} alter column ${name} set data type`), () => refused('type')],
  [
    statement(`alter table ${name} add constraint ${name} (unique|primary key)`),
    () => refused('unique constraint'),
  ],
  [
    statement(`alter table ${name} add constraint ${name} (?:check|foreign key .* references ${name})`),
    ([, table = '', constraint = '', target], sql) => ({
      kind: 'constraint',
      table: toName(table),
      constraint: toName(constraint),
      sql: toPlainSql(sql),
      refersTo: target === undefined ? undefined : toName(target),
    }),
  ],
  [statement(`alter table ${name} rename`), () => refused('rename')],
  [statement(`(alter table ${name} drop|drop table)`), () => refused('drop')],
];

const refused = (reason: RefusedKind): Change => ({ kind: 'refused', reason });

function readColumn(table: string, column: string, rest: string, sql: string): Change {
  const fallback = /\bdefault (.*?)(?: not null)?;?\s*$/is.exec(rest)?.[1];
  if (/\bnot null\b/i.test(rest) && fallback === undefined) return refused('required column');
  if (/\bgenerated\b|\breferences\b|\bunique\b|\bprimary key\b/i.test(rest)) return refused('other');
  return { kind: 'column', table, column, sql: toPlainSql(sql), fallback };
}

/** What a statement of drizzle-kit does. */
export function readChange(sql: string): Change {
  const text = sql.trim();
  for (const [form, read] of forms) {
    const match = form.exec(text);
    if (match !== null) return read(match, text);
  }
  return refused('other');
}
