import { type SQL, sql } from 'drizzle-orm';
import {
  columnNamesOf,
  type FillIdentityPart,
  fillIdentityParts,
  identityKeyOf,
} from '../../schema/fill-identity.ts';
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
  readonly nullIsEqual: boolean;
  readonly ignoresCase: boolean;
}

/** One of `fillIdentityParts`, as the statements use it. */
export function toIdentityPart(part: FillIdentityPart, position: number): IdentityPart {
  return {
    expression: sql.raw(identityKeyOf(part)),
    name: `key_${position + 1}`,
    reads: columnNamesOf(part).map((name) => {
      const column = fillColumns.find((candidate) => candidate.name === name);
      if (column === undefined)
        throw new TypeError(`the identity of a fill reads ${name}, and fills has none`);
      return column;
    }),
    nullIsEqual: part.nullIsEqual === true,
    ignoresCase: part.ignoresCase === true,
  };
}

/** What the queries know of the identity: a part that is added to `fillIdentityParts` is added here. */
export const identityParts: readonly IdentityPart[] = fillIdentityParts.map(toIdentityPart);

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
