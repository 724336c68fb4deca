import { type SQL, sql } from 'drizzle-orm';
import { fillIdentityKeys } from '../../schema/fill-identity.ts';
import { joinSql, nameSql } from '../core/join-sql.ts';
import { type FillColumn, fillColumns } from './fill-input.ts';

/** A part of what makes two fills the same execution. */
export interface IdentityPart {
  /** It, over the columns of `fills`. */
  readonly expression: SQL;
  /** How statements call it. */
  readonly name: string;
  /** The columns that it reads: the first of them that is not null counts. */
  readonly reads: readonly FillColumn[];
  /** Whether a missing value equals another missing one. */
  readonly hasDefault: boolean;
  readonly ignoresCase: boolean;
}

/** The forms that a part may have: a column, or the first of several that is not null, with `''` as the last resort. */
const term = String.raw`(?:"?\w+"?|\w+::text|lower\(\w+\))`;
const form = new RegExp(String.raw`^(?:${term}|coalesce\(${term}(?:, ${term})*(?:, '')?\))$`);

/** One of `fillIdentityKeys`, taken apart. */
export function toIdentityPart(key: string, position: number): IdentityPart {
  if (!form.test(key)) {
    throw new TypeError(`fill-order.ts can't sort fills by this part of their identity: ${key}`);
  }
  const words = key.match(/\w+/g) ?? [];
  return {
    expression: sql.raw(key),
    name: `key_${position + 1}`,
    reads: words.flatMap((word) => fillColumns.filter(({ name }) => name === word)),
    hasDefault: key.endsWith(`, '')`),
    ignoresCase: key.includes('lower('),
  };
}

/** What the queries know of the identity is read off `fillIdentityKeys`: a part that is added there is added here. */
export const identityParts: readonly IdentityPart[] = fillIdentityKeys.map(toIdentityPart);

/** The part that reads a column. */
export function identityPartOf(key: FillColumn['key']): IdentityPart {
  const part = identityParts.find(({ reads }) => reads.some((column) => column.key === key));
  if (part === undefined) throw new TypeError(`the identity of a fill does not read ${key}`);
  return part;
}

/** The columns that the identity reads. */
export const identityColumns: readonly FillColumn[] = fillColumns.filter((column) =>
  identityParts.some(({ reads }) => reads.includes(column)),
);

/** `coalesce(sessionid, '') as "key_1", …` */
export const identityAsNames: SQL = joinSql(
  identityParts.map(({ expression, name }) => sql`${expression} as ${nameSql(name)}`),
);

/** True for the fills whose parts have the values that a row with these names has: the condition of the unique index. */
export const matchesIdentity = (parts: readonly IdentityPart[], alias: string): SQL =>
  joinSql(
    parts.map(({ expression, name }) => sql`${expression} = ${sql.raw(alias)}.${nameSql(name)}`),
    sql` and `,
  );
