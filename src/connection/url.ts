import { readServerSettings, type ServerSettings } from './url/server-settings.ts';
import { invalidUrl, splitUrl } from './url/syntax.ts';

export { createRedactor } from './url/redact.ts';

/** Where a database is. */
export type Target =
  | {
      readonly kind: 'embedded';
      readonly directory: string;
      readonly name: string;
      readonly notes: readonly string[];
    }
  | ServerTarget;

export interface ServerTarget {
  readonly kind: 'server';
  readonly url: string;
  /** What messages may say: hosts, ports and database, as they were given. */
  readonly name: string;
  readonly settings: ServerSettings;
  /** What of the URL does less, or something else, than an operator may expect. */
  readonly notes: readonly string[];
}

/**
 * Reads a database URL: `postgres://…`, `postgresql://…` or `pglite:DIR`, with all that libpq and the usual ORMs write
 * into one, and PostgreSQL's environment variables for what it leaves open.
 *
 * @throws OperationError `URL_INVALID`; it never quotes the URL, which may hold a password.
 */
export function parseTarget(url: string): Target {
  if (url.startsWith('pglite:')) {
    const directory = url.slice('pglite:'.length).replace(/^\/\//, '');
    if (directory === '') throw invalidUrl('pglite: names no directory');
    return { kind: 'embedded', directory, name: `pglite:${directory}`, notes: [] };
  }
  const settings = readServerSettings(url, process.env);
  const { database = '', parameters } = splitUrl(url);
  const named = parameters.get('dbname') ?? parameters.get('database') ?? database;
  const hosts = settings.endpoints.map(({ label }) => label).join(',');
  return {
    kind: 'server',
    url,
    name: named === '' ? hosts : `${hosts}/${named}`,
    settings,
    notes: settings.notes,
  };
}
