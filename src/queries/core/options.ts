import { InvalidArgumentError } from './errors.ts';

/** The options of a function: its second argument, or the third where rows come second. */
export type OptionsOf<F extends (...args: never[]) => unknown, At extends 1 | 2 = 1> = NonNullable<
  Parameters<F>[At]
>;

/** Every key that any member of a union has. */
export type KeyOf<T> = T extends unknown ? Extract<keyof T, string> : never;

/**
 * The check of a function's options, before anything else: an object with known names, none of them null. A name that is
 * misspelled, in a call without types or in a query string, would otherwise be a condition that is not there, and `null`
 * one that one function takes for "none" and another for a value. What each option may be is for the function to say.
 *
 * The names are those of the type, all of them and no other, or it does not compile.
 *
 * @example
 * const checkOptions = defineOptions<OptionsOf<typeof listOrders>>('listOrders', { sessionId: true, … });
 */
export function defineOptions<Options extends object>(
  caller: string,
  names: Readonly<Record<KeyOf<Options>, true>>,
): (options: unknown) => void {
  const known = Object.keys(names);
  const theseAre = `its options are ${known.join(', ')}`;
  return (options) => {
    if (!isPlainObject(options)) {
      throw new InvalidArgumentError(`${caller}: options must be an object; ${theseAre}`);
    }
    for (const key in options) {
      if (!Object.hasOwn(names, key)) {
        const meant = known.find((name) => name.toLowerCase() === key.toLowerCase());
        const hint = meant === undefined ? '' : `did you mean ${meant}? `;
        throw new InvalidArgumentError(`${caller} has no option ${key}; ${hint}${theseAre}`);
      }
      if (options[key] === null) {
        throw new InvalidArgumentError(`${caller}: ${key} must not be null; leave it out, or give undefined`);
      }
    }
  };
}

/** No array, no promise that somebody forgot to await, no map: their entries are no properties, and would be passed over. */
export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return Object.prototype.toString.call(value) === '[object Object]';
}
