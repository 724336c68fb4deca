import { type SQL, sql } from 'drizzle-orm';
import type { Fill } from '../../schema/index.ts';
import { checkText } from '../core/arguments.ts';
import type { CallOptions } from '../core/call.ts';
import type { Database } from '../core/database.ts';
import { defineCall } from '../core/define-call.ts';
import { InvalidArgumentError, NotFoundError } from '../core/errors.ts';
import { joinSql, nameSql } from '../core/join-sql.ts';
import type { OptionsOf } from '../core/options.ts';
import { defineQuery } from '../core/query.ts';
import type { EncodedRow } from '../core/row-encoder.ts';
import { encodeCorrection, type FillColumn, type FillInput, fillColumns } from './fill-input.ts';
import { fillFields } from './fills.ts';

/** The columns of a fill that are to change, and what is stored in them. */
export type FillCorrection = Omit<FillInput, 'id'>;

type Values = Readonly<Record<string, string | null>> & { readonly id: string; readonly isGiven: string };

const correctable = fillColumns.filter(({ key }) => key !== 'id');

/** One statement, whichever columns change: the bits say which. */
const correct = defineQuery<Values, typeof fillFields>({
  name: 'correctFill',
  fields: fillFields,
  statement: (given, columns) => sql`
update fills
set ${joinSql(correctable.map((column, i) => assign(column, i, given)))}
where id = ${given.id}
returning ${columns()}`,
});

function assign({ name, type, key }: FillColumn, i: number, given: Readonly<Record<string, SQL>>): SQL {
  const column = nameSql(name);
  // The last write is now, unless the caller says when it was.
  const unchanged =
    key === 'lastUpdated' ? sql`(extract(epoch from statement_timestamp()) * 1000)::bigint` : column;
  return sql`${column} = case when get_bit(${given['isGiven']}::text::varbit, ${sql.raw(String(i))}) = 1
  then ${given[`new ${name}`]}::text::${sql.raw(type)} else ${unchanged} end`;
}

const startCorrectFill = defineCall<OptionsOf<typeof correctFill>>('correctFill', 'primary', {
  id: true,
  set: true,
});

/**
 * Corrects a stored fill: stores the given columns of it (null stores null, what is left out stays as it is), and gives the
 * fill as it is stored then. `lastUpdated` becomes the server's time unless it is given. `tradeId` and `execId` are one
 * value, the venue's id: whichever is given replaces both. Index: the primary key.
 *
 * @throws {NotFoundError} there is no fill with this id.
 * @throws {InvalidArgumentError} a value can't be stored, or none is given.
 * @throws {DatabaseError} among others `unique_violation`: corrected, it would be the same execution as another fill.
 * @example
 * const fill = await correctFill(db, { id: 'f-1', set: { fee: '0.12', feeData: { currency: 'USD' } } });
 */
export async function correctFill(
  db: Database,
  options: CallOptions & { readonly id: string; readonly set: FillCorrection },
): Promise<Fill> {
  const call = startCorrectFill(db, options);
  const id = checkText('id', options.id);
  const encoded = encodeCorrection(options.set);
  if (correctable.every(({ at }) => encoded[at] === undefined)) {
    throw new InvalidArgumentError('correctFill: set must give at least one column');
  }
  const stored = await correct.find(call, toValues(id, encoded));
  if (stored === undefined) throw new NotFoundError('correctFill: there is no fill with this id (fills.id)');
  return stored;
}

function toValues(id: string, encoded: EncodedRow): Values {
  const isGiven = correctable.map(({ at }) => (encoded[at] === undefined ? '0' : '1')).join('');
  const values = correctable.map(({ name, at }): [string, string | null] => {
    const value = encoded[at] ?? null;
    return [`new ${name}`, value === null ? null : String(value)];
  });
  return { ...Object.fromEntries(values), id, isGiven };
}
