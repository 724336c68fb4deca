/** Query parameters of a URL that both postgres.js and libpq know, and libpq's variable for each. */
const variables: Readonly<Record<string, string>> = {
  host: 'PGHOST',
  port: 'PGPORT',
  user: 'PGUSER',
  password: 'PGPASSWORD',
  database: 'PGDATABASE',
  options: 'PGOPTIONS',
  sslmode: 'PGSSLMODE',
  sslrootcert: 'PGSSLROOTCERT',
  connect_timeout: 'PGCONNECT_TIMEOUT',
  target_session_attrs: 'PGTARGETSESSIONATTRS',
};

/** What of this process' environment would send a client program to another database than the URL names. */
const overruling = ['PGSERVICE', 'PGSERVICEFILE', 'PGHOSTADDR'];

/**
 * The environment in which PostgreSQL's client programs reach the database of a URL. Everything goes through it: an
 * argument can be read by every user of the machine.
 */
export function toLibpqEnvironment(url: string): NodeJS.ProcessEnv {
  const environment: NodeJS.ProcessEnv = { PGCONNECT_TIMEOUT: '10' };
  for (const [name, value] of Object.entries(process.env)) {
    if (!overruling.includes(name)) environment[name] = value;
  }
  const rest = url.slice(url.indexOf('://') + 3);
  const authority = rest.split(/[/?#]/)[0] ?? '';
  const at = authority.lastIndexOf('@');
  const [user = '', ...password] = authority.slice(0, Math.max(at, 0)).split(':');
  const hosts = authority
    .slice(at + 1)
    .split(',')
    .map((host) => /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(host));
  const settings: Record<string, string> = {
    PGUSER: decodeURIComponent(user),
    PGPASSWORD: decodeURIComponent(password.join(':')),
    PGHOST: hosts.map((host) => decodeURIComponent(host?.[1]?.replace(/^\[|\]$/g, '') ?? '')).join(','),
    PGPORT: hosts.some((host) => host?.[2] !== undefined)
      ? hosts.map((host) => host?.[2] ?? '5432').join(',')
      : '',
    PGDATABASE: decodeURIComponent(/^[^?#]*?\/([^?#]*)/.exec(rest)?.[1] ?? ''),
  };
  for (const [name, value] of new URLSearchParams(/\?([^#]*)/.exec(url)?.[1] ?? '')) {
    const variable = variables[name];
    if (variable !== undefined) settings[variable] = value;
    // postgres.js' own spelling; `true` checks the certificate there, so it does here.
    if (name === 'ssl') settings['PGSSLMODE'] = value === 'true' ? 'verify-full' : value;
  }
  for (const [name, value] of Object.entries(settings)) if (value !== '') environment[name] = value;
  return { ...environment, LC_ALL: 'C', PGAPPNAME: 'multi-pair-db' };
}

/** The same URL with another database. */
export function withDatabase(url: string, database: string): string {
  const [, start = '', authority = '', query = ''] = /^(\w+:\/\/)([^/?#]*)(?:\/[^?#]*)?(.*)$/.exec(url) ?? [];
  return `${start}${authority}/${encodeURIComponent(database)}${query}`;
}
