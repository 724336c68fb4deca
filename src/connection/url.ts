import { OperationError } from './errors.ts';

/** Where a database is, taken apart just far enough to open it and to speak of it. */
export type Target =
  | { readonly kind: 'embedded'; readonly directory: string; readonly name: string }
  | ServerTarget;

export interface ServerTarget {
  readonly kind: 'server';
  readonly url: string;
  /** Decoded; empty where the URL names none. */
  readonly database: string;
  readonly name: string;
}

const advice =
  'Use postgres://user:password@host:5432/database, or pglite:DIRECTORY for the embedded database.';

/**
 * Reads a database URL: `postgres://…`, `postgresql://…` or `pglite:DIR`. `name` is what messages may say: host, port
 * and database.
 *
 * @throws OperationError `URL_INVALID`; it never quotes the URL, which may hold a password.
 */
export function parseTarget(url: string): Target {
  if (url.startsWith('pglite:')) {
    const directory = url.slice('pglite:'.length).replace(/^\/\//, '');
    if (directory === '') throw invalid('pglite: names no directory');
    return { kind: 'embedded', directory, name: `pglite:${directory}` };
  }
  if (!/^postgres(ql)?:\/\//.test(url)) throw invalid('the database URL is of no known kind');
  // Unescaped, such a password would be taken for a host, a port or a database, and end up in a message.
  const authority = url.slice(url.indexOf('://') + 3).split(/[/?#]/)[0] ?? '';
  if (!authority.includes('@') && url.includes('@')) {
    throw invalid(
      'the database URL has an @ after the host: / ? # and @ of a password or option have to be percent-encoded',
    );
  }
  let parsed: URL;
  try {
    parsed = new URL(url.replace(authority, authority.split(',')[0] ?? authority));
    decodeURIComponent(parsed.username + parsed.password + parsed.pathname);
  } catch {
    throw invalid(
      'the database URL can’t be read: / ? # @ and % of a password or name have to be percent-encoded',
    );
  }
  const database = decodeURIComponent(parsed.pathname.slice(1));
  const hosts = authority.slice(authority.lastIndexOf('@') + 1);
  return { kind: 'server', url, database, name: database === '' ? hosts : `${hosts}/${database}` };
}

function invalid(message: string): OperationError {
  return new OperationError({ code: 'URL_INVALID', message, advice });
}

/** Takes passwords out of a text: the URL's own, `PGPASSWORD`, and whatever stands in a URL in the text. */
export function createRedactor(url: string): (text: string) => string {
  const secrets = listSecrets(url).sort((a, b) => b.length - a.length);
  return (text) => {
    const withoutUrls = text.replace(/(\w+:\/\/[^\s:/@]*):[^\s]*@/g, '$1:***@');
    return secrets.reduce((rest, secret) => rest.replaceAll(secret, '***'), withoutUrls);
  };
}

function listSecrets(url: string): string[] {
  const secrets = [process.env['PGPASSWORD'] ?? ''];
  const start = url.indexOf('://');
  const end = url.lastIndexOf('@');
  if (start !== -1 && end > start) {
    const raw = url
      .slice(start + 3, end)
      .split(':')
      .slice(1)
      .join(':');
    secrets.push(raw, decode(raw));
  }
  for (const match of url.matchAll(/[?&]password=([^&#]*)/g))
    secrets.push(match[1] ?? '', decode(match[1] ?? ''));
  return secrets.filter((secret) => secret !== '');
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
