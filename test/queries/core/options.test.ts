import { drizzle } from 'drizzle-orm/pg-proxy';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import * as queries from '../../../src/queries/index.ts';
import * as schemas from '../../../src/zod/index.ts';
import { callsOn } from '../../support/calls.ts';
import { openPglite } from '../../support/handles.ts';

/** A database that must not be asked. */
const db = drizzle(async () => {
  throw new Error('something was sent');
});

const bounded = callsOn(db);
/** These run until somebody says that they stop, and a handler takes as long as it does: they have no time of their own. */
const taken: typeof bounded = {
  ...bounded,
  settleSessions: [(o) => queries.settleSessions(db, async () => {}, o), {}],
  withRetry: [(o) => queries.withRetry(async () => {}, o), {}],
};
/** Of what else there is, the last takes a transaction. */
const others = ['withoutPreparedStatements', 'claimSessionsToSettle'];

test('every function that takes options is here', () => {
  const functions = Object.entries(queries)
    .filter(([, value]) => typeof value === 'function' && !/^class/.test(String(value)))
    .map(([name]) => name);
  expect(functions.toSorted()).toEqual([...Object.keys(taken), ...others].toSorted());
});

const refusalOf = async (call: () => unknown): Promise<queries.InvalidArgumentError> => {
  const error: unknown = await Promise.resolve()
    .then(call)
    .catch((thrown) => thrown);
  if (!(error instanceof queries.InvalidArgumentError)) throw new Error(`not refused, but ${String(error)}`);
  return error;
};
const namesIn = (message: string) => /its options are (.*)$/.exec(message)?.[1]?.split(', ') ?? [];

describe.each(Object.entries(taken))('%s', (name, [call, valid]) => {
  const run = (options: unknown) => () => call(options as never);

  test('takes what is right', async () => {
    const error: unknown = await Promise.resolve()
      .then(run(valid))
      .catch((thrown) => thrown);
    expect(error).not.toBeInstanceOf(queries.InvalidArgumentError);
  });

  test('refuses a name that it does not know, says it, and those that it knows', async () => {
    for (const key of ['sessionID', 'LIMIT', 'offset', '__proto__ ', 'constructor', 'toString']) {
      for (const value of ['x', undefined, null]) {
        const { message } = await refusalOf(run({ ...valid, [key]: value }));
        expect(message).toContain(`${name} has no option ${key};`);
        for (const known of Object.keys(valid)) expect(namesIn(message)).toContain(known);
      }
    }
  });

  test('refuses null, by the name of the option', async () => {
    const { message } = await refusalOf(run({ ...valid, nothing: 1 }));
    for (const known of namesIn(message)) {
      expect((await refusalOf(run({ ...valid, [known]: null }))).message).toContain(
        `${known} must not be null`,
      );
    }
  });

  test('refuses what is no object of options', async () => {
    const forgotten = Promise.resolve(valid);
    for (const options of [null, 7, 'sessionId', true, 7n, () => valid, [], [valid], new Map(), forgotten]) {
      expect((await refusalOf(run(options))).message).toContain(`${name}: options must be an object`);
    }
    if (Object.keys(valid).length > 0) await refusalOf(run(undefined));
  });

  test('its schema knows the same names', async () => {
    const schema = new Map<string, z.ZodType>(Object.entries(schemas)).get(`${name}OptionsSchema`);
    if (schema === undefined) return expect(withoutSchema).toContain(name);
    const { message } = await refusalOf(run({ ...valid, nothing: 1 }));
    expect(namesOf(schema)).toEqual(ownNames(namesIn(message)));
  });
});

describe.each(Object.entries(bounded))('%s', (_, [call, valid]) => {
  const run = (options: unknown) => () => call(options as never);

  test('takes a signal and a time, sends nothing where it has aborted, and refuses what is neither', async () => {
    const reason = new Error('told to stop');
    await expect(Promise.resolve().then(run({ ...valid, signal: AbortSignal.abort(reason) }))).rejects.toBe(
      reason,
    );
    await refusalOf(run({ ...valid, signal: { aborted: true } }));
    for (const timeoutMs of [0, -1, 1.5, Number.NaN, 2 ** 31, '5']) {
      expect((await refusalOf(run({ ...valid, timeoutMs }))).message).toContain(
        'timeoutMs must be an integer',
      );
    }
    // pg-proxy is such a driver: it has no transactions.
    expect((await refusalOf(run({ ...valid, timeoutMs: 5_000 }))).message).toContain('this handle has none');
  });
});

/** Rows have schemas; these have no options of their own, or one that is for the code. */
const withoutSchema = [
  'assertSchema',
  'insertFills',
  'insertOrders',
  'insertSession',
  'saveOrders',
  'saveSessions',
];
/** Without what every call can be given, which is for the code and not for who asks it. */
const ownNames = (names: string[]) =>
  names.filter((known) => !['onError', 'signal', 'timeoutMs'].includes(known)).toSorted();

/** The keys of an object schema, or of all members of a union of them. */
function namesOf(schema: z.ZodType): string[] {
  const { def } = schema;
  if ('options' in def && Array.isArray(def.options)) {
    return [...new Set(def.options.flatMap(namesOf))].toSorted();
  }
  // What is checked before it is read: the keys are those of what it is then read as.
  if (schema instanceof z.ZodPipe && schema.out instanceof z.ZodType) return namesOf(schema.out);
  if ('shape' in def && typeof def.shape === 'object' && def.shape !== null)
    return Object.keys(def.shape).toSorted();
  throw new Error('neither an object nor a union');
}

test('claimSessionsToSettle, in its transaction, too', async () => {
  await using handle = await openPglite();
  await handle.db.transaction(async (tx) => {
    const claim = (options: unknown) => () => queries.claimSessionsToSettle(tx, options as never);
    expect((await refusalOf(claim({ retryAfterMS: 5 }))).message).toMatch(
      /^claimSessionsToSettle has no option retryAfterMS; did you mean retryAfterMs\? its options are lookback/,
    );
    expect((await refusalOf(claim({ retryAfterMs: null }))).message).toContain(
      'retryAfterMs must not be null',
    );
    await refusalOf(claim(null));
    const { message } = await refusalOf(claim({ nothing: 1 }));
    expect(namesOf(schemas.claimSessionsToSettleOptionsSchema)).toEqual(ownNames(namesIn(message)));
    expect(await queries.claimSessionsToSettle(tx, { retryAfterMs: 0 })).toEqual([]);
  });
});

test('a whole row is a key, whatever else it holds', async () => {
  await using handle = await openPglite();
  await queries.insertSession(handle.db, { id: 's', startedAt: 5, pairs: ['A'] });
  await queries.insertOrders(handle.db, [{ id: 'o', sessionId: 's', timestamp: 5 }]);
  const [session] = await queries.listSessionsByPair(handle.db, { pair: 'A' });
  const [order] = await queries.listOrders(handle.db, { sessionId: 's' });
  expect(await queries.listSessionsByPair(handle.db, { pair: 'A', after: session })).toEqual([]);
  expect(await queries.listOrders(handle.db, { sessionId: 's', after: order })).toEqual([]);
});
