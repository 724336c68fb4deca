import { type SQL, sql } from 'drizzle-orm';
import { checkInteger, checkText } from './arguments.ts';
import { InvalidArgumentError } from './errors.ts';

/**
 * The key of the last row of a page of sessions; `after: page.at(-1)` asks for the next one. Lists come newest first, and
 * sessions that never started (`startedAt` null) last, so the two together put every row in exactly one place.
 */
export interface SessionKey {
  readonly startedAt: number | null;
  readonly id: string;
}

/** The key as values of a query: a null time has a parameter of its own, because SQL compares nothing with null. */
export function sessionKeyValues(after: SessionKey | undefined): {
  afterMs: number | undefined;
  afterId: string | undefined;
} {
  if (after === undefined) return { afterMs: undefined, afterId: undefined };
  if (typeof after !== 'object' || after === null || after.startedAt === undefined) {
    throw new InvalidArgumentError(
      'after must be the last row of the page before, with its startedAt and id',
    );
  }
  return {
    afterMs: after.startedAt === null ? undefined : checkInteger('after.startedAt', after.startedAt),
    afterId: checkText('after.id', after.id),
  };
}

/**
 * "Comes after this key" where both columns go down and neither is null. The plain bound on time is implied; said
 * apart, it also bounds the scan of an index that has the time alone.
 */
export function isBefore(time: SQL, id: SQL, afterMs: SQL, afterId: SQL): SQL {
  return sql`${time} <= ${afterMs}::bigint and (${time}, ${id}) < (${afterMs}::bigint, ${afterId}::text)`;
}
