import type { ReachedEndpoint } from '../../connection/connection.ts';
import { OperationError } from '../../connection/errors.ts';
import { overrulingVariables, urlParameters } from '../../connection/url/parameters/index.ts';
import { parseTarget, type ServerTarget, type Target } from '../../connection/url.ts';

/**
 * The environment in which PostgreSQL's client programs reach the very database that our session reaches. Everything
 * but what libpq has no variable for goes through it: an argument can be read by every user of the machine.
 *
 * `reached` is the server that our session has found, where the URL names several: libpq goes on to the next one in
 * fewer cases than we do, and would end up on another a moment later.
 *
 * No variable of libpq is handed on as it is found: what it said is in the settings, unless the URL says otherwise.
 *
 * @throws OperationError `URL_INVALID` where the programs can't be told what the URL says
 */
export function toLibpqEnvironment(url: string, reached?: ReachedEndpoint): NodeJS.ProcessEnv {
  const forPrograms = valuesFor(url, reached);
  if (forPrograms.has('sslpassword')) throw secretArgument();
  const environment: NodeJS.ProcessEnv = { ...process.env };
  for (const name of overrulingVariables) delete environment[name];
  for (const [name, { variable }] of urlParameters) {
    if (variable === undefined) continue;
    const value = forPrograms.get(name);
    if (value === undefined || value === '') delete environment[variable];
    else environment[variable] = value;
  }
  return { ...environment, LC_ALL: 'C' };
}

/** What libpq has no variable for, as it reads it in `--dbname`: `keepalives_idle='30'`. */
export function toConninfo(url: string, reached?: ReachedEndpoint): string {
  const forPrograms = valuesFor(url, reached);
  return [...urlParameters]
    .flatMap(([name, { isArgument }]) => {
      const value = forPrograms.get(name);
      return isArgument !== true || value === undefined ? [] : [`${name}=${quoteConninfo(value)}`];
    })
    .join(' ');
}

/** A value in a libpq connection string. */
export const quoteConninfo = (value: string): string =>
  `'${value.replace(/[\\']/g, (found) => `\\${found}`)}'`;

function valuesFor(url: string, reached: ReachedEndpoint | undefined): ReadonlyMap<string, string> {
  const { forPrograms } = serverOf(url).settings;
  if (reached === undefined) return forPrograms;
  const { host, port, address } = reached;
  const pinned = new Map([...forPrograms, ['host', host], ['port', String(port)]]);
  pinned.delete('target_session_attrs');
  if (address === undefined) pinned.delete('hostaddr');
  else pinned.set('hostaddr', address);
  return pinned;
}

function serverOf(url: string): ServerTarget {
  const target: Target = parseTarget(url);
  if (target.kind === 'server') return target;
  throw new Error('client programs reach servers only');
}

function secretArgument(): OperationError {
  return new OperationError({
    code: 'URL_INVALID',
    message: 'pg_dump can’t be told sslpassword without every user of this machine seeing it',
    advice:
      'Keep the key without a password in a file that only you can read, and take sslpassword out of the URL: openssl pkey -in KEY -out NEWKEY; chmod 600 NEWKEY',
  });
}

/** The same URL with another database, wherever it named one. */
export function withDatabase(url: string, database: string): string {
  const [, start = '', authority = '', query = ''] =
    /^(\w+:\/\/)([^/?#]*)(?:\/[^?#]*)?(.*)$/s.exec(url) ?? [];
  const others = query
    .slice(1)
    .split('&')
    .filter((pair) => pair !== '' && !/^(?:dbname|database)=/.test(pair));
  return `${start}${authority}/${encodeURIComponent(database)}${others.length === 0 ? '' : `?${others.join('&')}`}`;
}
