/** What the docstrings of the tables say of each column: the one place where it is said. */
import { readFile } from 'node:fs/promises';
import { type Column, getTableColumns } from 'drizzle-orm';
import type { PgTable } from 'drizzle-orm/pg-core';
import { fills, orders, sessions } from '../src/schema/index.ts';

/** The tables, by the name of their export and of their file. */
export const tables: Readonly<Record<string, PgTable>> = { sessions, orders, fills };

/** A column, and the parts of its docstring. */
export interface ColumnDoc {
  /** As TypeScript has it. */
  readonly key: string;
  readonly column: Column;
  /** All of it, in one line. */
  readonly text: string;
  readonly meaning: string;
  /** Undefined for what has none. */
  readonly unit: string | undefined;
  readonly writer: string | undefined;
  /** What null means; undefined for what is never null. */
  readonly nullMeaning: string | undefined;
}

/** The columns of a table, in its order. */
export async function readColumnDocs(name: string): Promise<ColumnDoc[]> {
  const table = tables[name];
  if (table === undefined) throw new Error(`there is no table ${name}`);
  const source = await readFile(new URL(`../src/schema/${name}.ts`, import.meta.url), 'utf8');
  const texts = new Map(
    // Columns stand four spaces in, each right below its docstring.
    [...source.matchAll(/^ {4}\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\n {4}(\w+):/gm)].map(
      ([, comment = '', key = '']) => [key, comment.replaceAll(/\s*\n\s*\* ?/g, ' ').trim()],
    ),
  );
  return Object.entries(getTableColumns(table)).map(([key, column]) => ({
    key,
    column,
    ...readParts(texts.get(key) ?? ''),
  }));
}

function readParts(text: string): Omit<ColumnDoc, 'key' | 'column'> {
  const parts = /^(.*?)(?: Unit: (.*?)\.)?(?: Written by (.*?)\.)?(?: Null: (.*)\.)?$/.exec(text);
  const [, meaning = '', unit, writer, nullMeaning] = parts ?? [];
  return { text, meaning, unit, writer, nullMeaning };
}

/** Types of which a number without a unit says nothing. */
const numbers = /^(?:integer|bigint|real|double precision|numeric)/;

/** What a docstring leaves open: by a sentence for each, that says what to write. */
export async function listSilentColumns(): Promise<string[]> {
  const found: string[] = [];
  for (const name of Object.keys(tables)) {
    for (const { key, column, meaning, unit, writer, nullMeaning } of await readColumnDocs(name)) {
      const isNumber = numbers.test(column.getSQLType()) && !/Id$/.test(key);
      const missing = [
        ...(meaning === '' ? ['what it means'] : []),
        ...(isNumber && unit === undefined ? ['`Unit: ….`'] : []),
        ...(writer === undefined ? ['`Written by ….`'] : []),
        ...(!column.notNull && nullMeaning === undefined ? ['`Null: ….`'] : []),
      ];
      if (missing.length > 0)
        found.push(
          `src/schema/${name}.ts: the docstring of ${key} does not say ${missing.join(', ')}, in this order`,
        );
    }
  }
  return found;
}
