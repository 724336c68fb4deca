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

/** A key as values of a query. A null time has no value: SQL compares nothing with null. */
export interface KeyValues {
  afterMs: number | undefined;
  afterId: string | undefined;
}

/** The values of a key whose time is called `timeName`. */
export function toKeyValues<N extends string>(
  timeName: N,
  after: ({ readonly [K in N]: number | null } & { readonly id: string }) | undefined,
): KeyValues {
  if (after === undefined) return { afterMs: undefined, afterId: undefined };
  const time = after?.[timeName];
  if (time === undefined) {
    throw new InvalidArgumentError(
      `after must be the last row of the page before, with its ${timeName} and id`,
    );
  }
  return {
    afterMs: time === null ? undefined : checkInteger(`after.${timeName}`, time),
    afterId: checkText('after.id', after.id),
  };
}

/** Stands for a null time, below all others. */
export const lowestTime = sql`'-9223372036854775808'::bigint`;
/** Stands for a null time, above all others. */
export const highestTime = sql`'9223372036854775807'::bigint`;

type KeyGiven = { afterMs?: SQL | undefined; afterId?: SQL | undefined };

/**
 * "Comes after the key" in the order `time desc nulls last, id desc`, with `and` before it; nothing where no key is
 * given. Spelled so that no index of the time serves it: the condition of the list itself is to choose one.
 */
export function andPastKey(time: SQL, given: KeyGiven): SQL | undefined {
  if (given.afterId === undefined) return undefined;
  return sql`and (coalesce(${time}, ${lowestTime}), id) < (${given.afterMs ?? lowestTime}::bigint, ${given.afterId})`;
}

/** The same in the order `time asc nulls last, id`, spelled as `coalesce(time, highestTime), id`. */
export function andPastKeyAscending(time: SQL, given: KeyGiven): SQL | undefined {
  if (given.afterId === undefined) return undefined;
  return sql`and (coalesce(${time}, ${highestTime}), id) > (${given.afterMs ?? highestTime}::bigint, ${given.afterId})`;
}
