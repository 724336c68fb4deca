import { OperationError } from '../errors.ts';

/** A URL taken apart: nothing is looked up yet, everything is decoded. */
export interface UrlParts {
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly hosts: readonly HostPart[];
  readonly database: string | undefined;
  readonly parameters: ReadonlyMap<string, string>;
}

/** One of the hosts before the path. */
export interface HostPart {
  /** Empty where the URL names none. */
  readonly host: string;
  readonly port: string | undefined;
}

/**
 * Takes `postgres://user:password@host:port,host:port/database?name=value` apart, as libpq does: `%` escapes are
 * decoded, a plus is a plus.
 *
 * @throws OperationError `URL_INVALID`; it never quotes the URL, which may hold a password.
 */
export function splitUrl(url: string): UrlParts {
  const [, rest] = /^postgres(?:ql)?:\/\/(.*)$/s.exec(url) ?? [];
  if (rest === undefined) throw invalidUrl('the database URL is of no known kind');
  const authority = rest.split(/[/?#]/)[0] ?? '';
  // Unescaped, such a password would be taken for a host, a port or a database, and end up in a message.
  if (rest.includes('#') || rest.lastIndexOf('@') >= authority.length) {
    throw invalidUrl(
      'the database URL has an @ after the host, or a #: / ? # and @ of a password or option have to be percent-encoded',
    );
  }
  const [, path = '', query = ''] = /^(?:\/([^?]*))?(?:\?(.*))?$/s.exec(rest.slice(authority.length)) ?? [];
  const at = authority.lastIndexOf('@');
  const [user, ...password] = at === -1 ? [] : authority.slice(0, at).split(':');
  return {
    user: emptyToUndefined(decode(user ?? '')),
    password: emptyToUndefined(decode(password.join(':'))),
    hosts: authority
      .slice(at + 1)
      .split(',')
      .map(splitHost),
    database: emptyToUndefined(decode(path)),
    parameters: splitQuery(query),
  };
}

function splitHost(text: string): HostPart {
  const [, bracketed, plain, port] = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d*))?$/.exec(text) ?? [];
  if (bracketed === undefined && plain === undefined) {
    throw invalidUrl('the database URL has a port that is no number, or an IPv6 address without [ ]');
  }
  return { host: decode(bracketed ?? plain ?? ''), port: emptyToUndefined(port ?? '') };
}

function splitQuery(query: string): Map<string, string> {
  const parameters = new Map<string, string>();
  for (const pair of query.split('&').filter((text) => text !== '')) {
    const [name = '', ...value] = pair.split('=');
    const [key, text] = [decode(name), decode(value.join('='))];
    const before = parameters.get(key);
    // libpq takes the last, others the first: whoever wrote both means one of them.
    if (before !== undefined && before !== text)
      throw invalidUrl(`the database URL says ${key} twice, and not the same`);
    parameters.set(key, text);
  }
  return parameters;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalidUrl(
      'the database URL can’t be read: / ? # @ and % of a password or name have to be percent-encoded',
    );
  }
}

const emptyToUndefined = (text: string): string | undefined => (text === '' ? undefined : text);

const usualAdvice =
  'Use postgres://user:password@host:5432/database, or pglite:DIRECTORY for the embedded database.';

export function invalidUrl(message: string, advice = usualAdvice): OperationError {
  return new OperationError({ code: 'URL_INVALID', message, advice });
}
