import type { MigrationFile } from '../../src/migrate/history/folder.ts';
import { type Change, readChange } from './changes.ts';
import { type Part, toPart } from './parts.ts';
import { listObjections, safeWays } from './refusals.ts';
import type { Scratch } from './scratch.ts';

/** What a file is to do, as the frame says it: the parts of its statements, in order. */
export interface Draft extends Part {
  readonly tag: string;
  readonly createdAtMs: number;
}

/** Thrown where a statement can't be done safely on a live table: nothing is written. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
}

/**
 * Reads a file of drizzle-kit and tries it, statement by statement, on a database that has the files before it: what
 * PostgreSQL makes of an index or a type, and whether a table is rewritten, is asked and not guessed.
 *
 * @throws RefusedError with the statement and the safe way
 */
export async function draftFile(file: MigrationFile, scratch: Scratch): Promise<Draft> {
  const statements = file.statements.map(({ sql }) => ({ sql, change: readChange(sql) }));
  refuseUnsafe(statements);
  const objections = listObjections(statements.map(({ sql }) => sql.trim()));
  if (objections.length > 0) {
    const faults = objections.map(({ sql, reason }) => explain(sql, `${reason}\n${safeWays.rewrite}`));
    throw new RefusedError(faults.join('\n\n'));
  }
  const existing = new Set((await scratch.readFileNodes()).keys());
  const parts: Part[] = [];
  for (const { sql, change } of statements) {
    const read = await toPart(change, existing, scratch);
    const nodes = await scratch.readFileNodes();
    await scratch.connection.execute(sql);
    const after = await scratch.readFileNodes();
    const isRewritten = [...nodes].some(([table, node]) => existing.has(table) && after.get(table) !== node);
    if (isRewritten) throw new RefusedError(explain(sql, safeWays.rewrite));
    parts.push(await read());
  }
  return { tag: file.tag, createdAtMs: file.createdAtMs, ...join(parts) };
}

function refuseUnsafe(statements: readonly { readonly sql: string; readonly change: Change }[]): void {
  const faults = statements.flatMap(({ sql, change }) =>
    change.kind === 'refused' ? [explain(sql, safeWays[change.reason])] : [],
  );
  if (faults.length > 0) throw new RefusedError(faults.join('\n\n'));
}

const explain = (sql: string, safeWay: string): string => `refused: ${sql.trim()}\n${safeWay}`;

/** All parts as one. What is undone is undone in the opposite order; an index that is built anew is not dropped first. */
function join(parts: readonly Part[]): Part {
  const indexes = parts.flatMap((part) => part.indexes);
  const dropped = parts.flatMap((part) => part.droppedIndexes);
  return {
    indexes: indexes.map((one) => ({
      ...one,
      before: dropped.find(({ index }) => index === one.index)?.definition,
    })),
    droppedIndexes: dropped.filter(({ index }) => !indexes.some((one) => one.index === index)),
    columns: parts.flatMap((part) => part.columns),
    newTables: parts.flatMap((part) => part.newTables),
    lockedTables: [...new Set(parts.flatMap((part) => part.lockedTables))],
    block: parts.flatMap((part) => part.block),
    unvalidated: parts.flatMap((part) => part.unvalidated),
    undoBlock: parts.toReversed().flatMap((part) => part.undoBlock),
  };
}
