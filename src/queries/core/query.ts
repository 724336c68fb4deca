import { type SQL, sql } from 'drizzle-orm';
import { PgDialect } from 'drizzle-orm/pg-core';
import { callOf } from './call.ts';
import { type Database, isTransaction, isUnprepared } from './database.ts';
import { isOfPreparation, toQueryError } from './errors.ts';
import { createRowMapper, type Fields, type Row } from './fields.ts';
import { joinSql, nameSql } from './join-sql.ts';
import { sendThrough, sessionOf } from './session.ts';
import { sendWithin } from './within.ts';

export type { Computed, Fields, Row } from './fields.ts';

/**
 * What a parameter can be: one scalar, which every driver sends alike whatever Drizzle has made of its serializers. A list
 * goes through `arrayLiteral`, and a list or JSON is sent as text and cast by the server: `${…}::text::jsonb`. Without
 * `::text` postgres.js under Drizzle 1.0 would quote the JSON once more, and `@>` would find nothing.
 */
export type Value = string | number | boolean | null;
type Values = Readonly<Record<string, Value | undefined>>;

/** A placeholder for each value that the caller gave; undefined for each that was left out. */
export type Given<V extends Values> = {
  readonly [K in keyof V]-?: undefined extends V[K] ? SQL | undefined : SQL;
};

export interface QueryDefinition<V extends Values, F extends Fields> {
  /** The function that it belongs to; part of the statement's name on the server, and of error messages. */
  readonly name: string;
  readonly fields: F;
  /**
   * The statement, for one combination of given values. `columns('s')` lists the fields, qualified by an alias.
   * It must depend on nothing but `given`: it is called once for each combination.
   */
  readonly statement: (given: Given<V>, columns: (alias?: string) => SQL) => SQL;
}

export interface Query<V extends Values, F extends Fields> {
  /** All rows, in the statement's order. */
  list(db: Database, values: V): Promise<Row<F>[]>;
  /** The first row. */
  find(db: Database, values: V): Promise<Row<F> | undefined>;
  /** The statement's text and its parameters, as they would be sent. */
  toSQL(values: V): { readonly sql: string; readonly params: Value[] };
}

interface Compiled<F extends Fields> {
  /** Name of the prepared statement. Text and name go together, so two releases of this package can share a connection. */
  readonly statementName: string;
  readonly text: string;
  readonly order: readonly string[];
  readonly mapRows: (rows: unknown[][]) => Row<F>[];
}

/**
 * A query that is compiled once for each combination of options, and prepared by the server once for each connection
 * (by its name or its text, whichever the driver goes by). Nothing is kept for a handle, so a transaction, which is a
 * handle of its own, costs nothing extra and leaves nothing behind.
 *
 * Drizzle's query builder builds, compiles and maps anew on each call, and takes 2.4 times as long as the driver alone.
 * Here only the driver, Drizzle's session (which knows how to speak to each driver) and one flat loop are left.
 */
export function defineQuery<V extends Values, F extends Fields>(
  definition: QueryDefinition<V, F>,
): Query<V, F> {
  const compiled = new Map<string, Compiled<F>>();

  const compileFor = (values: V): Compiled<F> => {
    let shape = '';
    for (const key in values) if (values[key] !== undefined) shape += `${key} `;
    let found = compiled.get(shape);
    if (found === undefined) {
      found = compile(definition, values);
      compiled.set(shape, found);
    }
    return found;
  };

  const list = async (db: Database, values: V): Promise<Row<F>[]> => {
    const statement = compileFor(values);
    const params = statement.order.map((key) => values[key] ?? null);
    const call = db?.[callOf];
    return call === undefined
      ? sendNamed(db, statement, params)
      : sendWithin(call, db, definition.name, (on) => sendNamed(on, statement, params));
  };

  const sendNamed = async (db: Database, statement: Compiled<F>, params: Value[]): Promise<Row<F>[]> => {
    const name = db?.[isUnprepared] ? undefined : statement.statementName;
    try {
      return await send(db, statement, params, name);
    } catch (error) {
      if (name === undefined || isTransaction(db) || !isOfPreparation(error))
        throw toQueryError(definition.name, error);
      // It has not run, and without a name it can't be refused for the same reason.
      return sendOnceMore(db, statement, params, error);
    }
  };

  /** A handle on one connection may be in a transaction that we can't see, and that has failed: then the first error counts. */
  const sendOnceMore = async (db: Database, statement: Compiled<F>, params: Value[], first: unknown) => {
    try {
      return await send(db, statement, params, undefined);
    } catch (second) {
      const error = toQueryError(definition.name, second);
      throw error.code === 'transaction_aborted' ? toQueryError(definition.name, first) : error;
    }
  };

  return {
    list,
    find: async (db, values) => (await list(db, values))[0],
    toSQL: (values) => {
      const { text, order } = compileFor(values);
      return { sql: text, params: order.map((key) => values[key] ?? null) };
    },
  };
}

function send<F extends Fields>(
  db: Database,
  { text, mapRows }: Compiled<F>,
  params: readonly Value[],
  name: string | undefined,
): Promise<Row<F>[]> {
  return sendThrough(sessionOf(db), { text, params, name, mapRows });
}

function compile<V extends Values, F extends Fields>(
  definition: QueryDefinition<V, F>,
  values: V,
): Compiled<F> {
  const keys = new Map<unknown, string>();
  const placeholderFor = (key: string): SQL => {
    const placeholder = sql.placeholder(key);
    keys.set(placeholder, key);
    return sql`${placeholder}`;
  };
  const given = new Proxy({} as Given<V>, {
    get: (_, key) => (typeof key === 'string' && values[key] !== undefined ? placeholderFor(key) : undefined),
  });
  const order: string[] = [];
  const dialect = new PgDialect();
  // Drizzle numbers each use of a value; here a value that is used twice (some are megabytes) is sent once.
  dialect.escapeParam = (_: number, param?: unknown) => {
    const key = keys.get(param);
    if (key === undefined) {
      throw new TypeError(`${definition.name}: a statement takes its values from given, never in place`);
    }
    if (!order.includes(key)) order.push(key);
    return `$${order.indexOf(key) + 1}`;
  };
  const { sql: text } = dialect.sqlToQuery(
    definition.statement(given, (alias) => listColumns(definition.fields, alias)),
  );
  return {
    statementName: `mpdb_${definition.name}_${fingerprint(text)}`,
    text,
    order,
    mapRows: createRowMapper(definition.fields),
  };
}

function listColumns(fields: Fields, alias: string | undefined): SQL {
  return joinSql(
    Object.values(fields).map((field) =>
      'expression' in field ? field.expression : nameSql(field.name, alias),
    ),
  );
}

/** FNV-1a, 32 bits: tells texts apart that share a name, without a crypto module. */
function fingerprint(text: string): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return (hash >>> 0).toString(36);
}
