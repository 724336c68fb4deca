import { InvalidArgumentError } from './errors.ts';

/** A statement as it is sent: values are parameters, rows come as arrays and are mapped once, all together. */
export interface Sendable<R> {
  readonly text: string;
  readonly params: readonly unknown[];
  /** The name under which the server keeps it; without one it is parsed anew. */
  readonly name: string | undefined;
  readonly mapRows: (rows: unknown[][]) => R[];
}

type Query = { readonly sql: string; readonly params: readonly unknown[] };
type Prepared<R> = { execute(): Promise<R[]> };

/** As Drizzle 0.45 has it. */
interface FieldsFirst {
  prepareQuery<R>(
    query: Query,
    fields: undefined,
    name: string | undefined,
    isInArrayMode: true,
    mapRows: Sendable<R>['mapRows'],
  ): Prepared<R>;
}
/** As Drizzle 1.0 has it: what it gives was a flag there and is a mode here, and comes before the name. */
interface ModeFirst {
  prepareQuery<R>(
    query: Query,
    mode: 'arrays',
    name: string | false,
    mapRows: Sendable<R>['mapRows'],
  ): Prepared<R>;
}

/**
 * The one place where our queries meet Drizzle, 0.45 or 1.0.
 *
 * A risk: `_.session` and `prepareQuery` are internals of Drizzle. A release may change what they take or give, and then a
 * query throws (perhaps after it has committed), or gives rows of another shape. So the peer range ends before the next
 * major version, and the suites of rows run on both versions, each through postgres.js, node-postgres and PGlite
 * (test/queries/rows*.test.ts, fills*.test.ts): on such a release they fail.
 *
 * Which of the two it is the handle itself shows: a service may hold handles of another copy of Drizzle than the one that
 * this package finds, and a version says nothing about what a prerelease has.
 */
export function sendThrough<R>(session: unknown, { text, params, name, mapRows }: Sendable<R>): Promise<R[]> {
  const query = { sql: text, params };
  if (isModeFirst(session)) return session.prepareQuery(query, 'arrays', name ?? false, mapRows).execute();
  if (isFieldsFirst(session)) return session.prepareQuery(query, undefined, name, true, mapRows).execute();
  throw new InvalidArgumentError(
    'the first argument must be a Drizzle PostgreSQL handle, or a transaction of one',
  );
}

/** The session of a handle; undefined for what is none. */
export const sessionOf = (db: { readonly _?: { readonly session?: unknown } } | null | undefined): unknown =>
  db?._?.session;

/** Whether it is a session that queries can be sent through. */
export const isSession = (session: unknown): boolean => isModeFirst(session) || isFieldsFirst(session);

const isFieldsFirst = (session: unknown): session is FieldsFirst => hasMethods(session, ['prepareQuery']);
// Sessions have these two since 1.0: they run a statement in the modes of the same names.
const isModeFirst = (session: unknown): session is ModeFirst =>
  hasMethods(session, ['prepareQuery', 'arrays', 'objects']);

const hasMethods = (value: unknown, names: readonly string[]): boolean =>
  typeof value === 'object' &&
  value !== null &&
  names.every((name) => typeof Reflect.get(value, name) === 'function');
