import { getTableColumns, is } from 'drizzle-orm';
import { PgJsonb } from 'drizzle-orm/pg-core';
import { sessions } from '../../schema/sessions.ts';
import type { Row } from '../core/query.ts';
import type { KeysOfType } from '../core/row-types.ts';

type Columns = typeof sessions._.columns;
type Listed = Exclude<keyof Columns, Exclude<KeysOfType<typeof sessions, 'json'>, 'pairs'>>;

/**
 * A session as the lists give it: every column but the JSON documents (settings, metrics, balances, environment, …),
 * which can be megabytes a page. Read those of one session by its id, with Drizzle and the schema.
 */
export type SessionSummary = Row<typeof sessionFields>;

/** Read off the table: a column that is added is in the lists, unless it is a JSON document. */
export const sessionFields = Object.fromEntries(
  Object.entries(getTableColumns(sessions)).filter(
    ([key, column]) => key === 'pairs' || !is(column, PgJsonb),
  ),
) as Pick<Columns, Listed>;
