import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { OperationError } from '../../connection/errors.ts';

/** One statement of a file. */
export interface MigrationStatement {
  /** As drizzle sends it, comments included. */
  readonly sql: string;
  /** Line of the file on which it begins, after its comments, from 1. */
  readonly line: number;
}

/** One migration of a drizzle folder. */
export interface MigrationFile {
  /** `0001_multi_pair_support` */
  readonly tag: string;
  /** `drizzle/0001_multi_pair_support.sql`, as messages name it. */
  readonly file: string;
  /** What drizzle records as `created_at`: epoch milliseconds. */
  readonly createdAtMs: number;
  /** What drizzle records as `hash`: sha256 of the whole file. */
  readonly hash: string;
  readonly statements: readonly MigrationStatement[];
}

/**
 * Reads a drizzle folder: the files that `meta/_journal.json` names, in its order.
 *
 * @throws OperationError `FILE_INVALID` where the journal can't be read, or names a file that is not there.
 */
export async function readMigrationFiles(folder: string): Promise<MigrationFile[]> {
  const journal = path.join(folder, 'meta', '_journal.json');
  const entries = parseJournal(await readText(journal), journal);
  return Promise.all(
    entries.map(async ({ tag, when }) => {
      const file = path.join(folder, `${tag}.sql`);
      const text = await readText(file);
      return {
        tag,
        file: `${path.basename(folder)}/${tag}.sql`,
        createdAtMs: when,
        hash: createHash('sha256').update(text).digest('hex'),
        statements: splitStatements(text),
      };
    }),
  );
}

/** Splits as drizzle does, so that both send the same statements. */
export function splitStatements(text: string): MigrationStatement[] {
  let line = 1;
  return text.split('--> statement-breakpoint').flatMap((sql) => {
    const begins = line + countLines(/^(\s|--[^\n]*(\n|$)|\/\*[\s\S]*?\*\/)*/.exec(sql)?.[0] ?? '');
    line += countLines(sql);
    return sql.trim() === '' ? [] : [{ sql, line: begins }];
  });
}

const countLines = (text: string): number => text.split('\n').length - 1;

function parseJournal(text: string, file: string): { tag: string; when: number }[] {
  let journal: unknown;
  try {
    journal = JSON.parse(text);
  } catch {
    throw unreadable(file, 'is no JSON');
  }
  const entries: unknown =
    typeof journal === 'object' && journal !== null ? Reflect.get(journal, 'entries') : undefined;
  if (!Array.isArray(entries)) throw unreadable(file, 'has no list of entries');
  return entries.map((entry: unknown) => {
    const tag: unknown = typeof entry === 'object' && entry !== null ? Reflect.get(entry, 'tag') : undefined;
    const when: unknown =
      typeof entry === 'object' && entry !== null ? Reflect.get(entry, 'when') : undefined;
    if (typeof tag !== 'string' || typeof when !== 'number')
      throw unreadable(file, 'has an entry without tag or when');
    return { tag, when };
  });
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch {
    throw unreadable(file, 'can’t be read');
  }
}

function unreadable(file: string, fault: string): OperationError {
  return new OperationError({
    code: 'FILE_INVALID',
    message: `${file} ${fault}`,
    advice:
      'Check the folder of the migrations against the repository; drizzle-kit writes and checks it (drizzle-kit check).',
    file,
  });
}
