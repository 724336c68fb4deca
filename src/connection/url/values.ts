import { OperationError } from '../errors.ts';
import {
  isServerSetting,
  overrulingVariables,
  type UrlParameter,
  urlParameters,
} from './parameters/index.ts';
import { invalidUrl } from './syntax.ts';

/** What is said, by the parameters' own names: by the URL, else by the environment. */
export interface ParameterValues {
  readonly values: ReadonlyMap<string, string>;
  /** What an operator should know about it. */
  readonly notes: readonly string[];
}

/**
 * Holds the parameters of a URL against the table, and adds what the environment says about the others.
 *
 * @throws OperationError `URL_INVALID` for one that nobody knows, that can't be kept, or has a wrong value
 */
export function readValues(
  given: ReadonlyMap<string, string>,
  environment: NodeJS.ProcessEnv,
): ParameterValues {
  const values = new Map<string, string>();
  const notes: string[] = [];
  for (const [written, text] of given) {
    const parameter = urlParameters.get(written);
    if (parameter === undefined) throw unknownParameter(written);
    const name = parameter.alias ?? written;
    const value = written === 'ssl' ? toSslMode(text) : text;
    refuseValue(`${written} of the database URL`, urlParameters.get(name) ?? parameter, value);
    if (values.has(name) && values.get(name) !== value)
      throw invalidUrl(`the database URL says ${name} twice, as ${written} too, and not the same`);
    values.set(name, value);
    if (parameter.note !== undefined) notes.push(`${written} of the URL ${parameter.note}`);
  }
  for (const [name, parameter] of urlParameters) {
    const value = parameter.variable === undefined ? undefined : environment[parameter.variable];
    if (values.has(name) || value === undefined || value === '') continue;
    refuseValue(`the environment variable ${parameter.variable}`, parameter, value);
    values.set(name, value);
  }
  const followed = overrulingVariables.filter((name) => (environment[name] ?? '') !== '');
  if (followed.length > 0)
    notes.push(`${followed.join(', ')} of the environment: not followed, the URL says where`);
  return { values, notes };
}

/** postgres.js, node-postgres and libpq each have words of their own for `ssl`. */
function toSslMode(text: string): string {
  if (text === 'true' || text === '1') return 'verify-full';
  return text === 'false' || text === '0' ? 'disable' : text;
}

function refuseValue(where: string, { values, isNumber, refused }: UrlParameter, value: string): void {
  if (refused !== undefined) throw invalidUrl(`${where} can’t be kept`, refused);
  if (values !== undefined && !values.includes(value))
    throw invalidUrl(`${where} has a value that can’t be kept`, `Possible are: ${values.join(', ')}.`);
  if (isNumber === true && !/^-?\d+$/.test(value))
    throw invalidUrl(`${where} is no whole number`, 'Write a number without unit.');
}

/** The name is shown and the value is not: it may be a piece of a password that was not percent-encoded. */
function unknownParameter(name: string): OperationError {
  const known = [...urlParameters.keys()].filter((other) => !isServerSetting(other));
  const alike = known.find((other) => distance(other.toLowerCase(), name.toLowerCase()) <= 2);
  const setting = /^[\w.]+$/.test(name) ? name : 'NAME';
  return new OperationError({
    code: 'URL_INVALID',
    message: `the database URL has a parameter that nobody knows: ${/^[\w.-]{1,60}$/.test(name) ? name : 'its name is no word'}`,
    advice: `${alike === undefined ? 'Take it out' : `Is ${alike} meant? Else take it out`}. A setting of the server goes through options: options=-c%20${setting}%3DVALUE`,
  });
}

/** How many letters have to be changed, added or taken away. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1];
    for (const [j, other] of [...b].entries()) {
      const replaced = (row[j] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
