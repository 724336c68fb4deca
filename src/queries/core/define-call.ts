import { checkInteger, maxInt4 } from './arguments.ts';
import { type Call, type CallOptions, callOf } from './call.ts';
import type { Database } from './database.ts';
import { defineOptions, type KeyOf } from './options.ts';
import { replicaOf } from './replica.ts';
import { checkSignal } from './signal.ts';

/**
 * The beginning of a function: checks its options (as `defineOptions` does; the names are its own, without those of
 * `CallOptions`), and gives the handle that all of its statements go through.
 *
 * Of a handle with replicas, what only reads goes to one of them, and all statements of the call to the same one: two
 * replicas need not have come equally far. What writes, or has to know what is stored, goes to the primary.
 *
 * @example
 * const startFindSession = defineCall<OptionsOf<typeof findSession>>('findSession', 'replica', { id: true });
 * const call = startFindSession(db, options);
 */
export function defineCall<Options extends CallOptions>(
  caller: string,
  place: 'primary' | 'replica',
  names: Readonly<Record<Exclude<KeyOf<Options>, keyof CallOptions>, true>>,
): <D extends Database>(db: D, options: CallOptions) => D {
  const check = defineOptions<Readonly<Record<string, unknown>>>(caller, {
    ...names,
    signal: true,
    timeoutMs: true,
  });
  return (db, options) => {
    check(options);
    const handle = place === 'replica' ? replicaOf(db) : db;
    const { signal, timeoutMs } = options;
    if (signal === undefined && timeoutMs === undefined) return handle;
    checkSignal(signal);
    if (timeoutMs !== undefined) checkInteger('timeoutMs', timeoutMs, { min: 1, max: maxInt4 });
    const deadlineMs = timeoutMs === undefined ? undefined : Date.now() + timeoutMs;
    const call: Call = { signal, timeoutMs, deadlineMs };
    return Object.create(handle, { [callOf]: { value: call } });
  };
}
