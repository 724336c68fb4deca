import { encryption } from './encryption.ts';
import { ofOrms } from './orms.ts';
import type { UrlParameter } from './parameter.ts';
import { serverSettings } from './server-settings.ts';
import { session } from './session.ts';
import { where } from './where.ts';

export type { UrlParameter } from './parameter.ts';
export { isServerSetting } from './server-settings.ts';

/**
 * Every parameter that a database URL may have, and what becomes of it: in our own session (the driver postgres.js),
 * and in PostgreSQL's client programs (pg_dump, pg_restore, psql: libpq). The one place; nothing else lists them.
 *
 * postgres.js sends what it does not know to the server as a setting, which the server refuses ("unrecognized
 * configuration parameter channel_binding"), and drops other things in silence (`sslrootcert`). libpq refuses what ORMs
 * write. So neither ever sees the URL: both get what is read here.
 */
export const urlParameters: ReadonlyMap<string, UrlParameter> = new Map(
  Object.entries({
    ...where,
    ...encryption,
    ...session,
    ...ofOrms,
    ...serverSettings,
  }),
);

/** What else of libpq's environment would lead a client program elsewhere than the URL; our session does not read it. */
export const overrulingVariables = [
  'PGSERVICE',
  'PGSERVICEFILE',
  'PGHOSTADDR',
  'PGCLIENTENCODING',
  'PGREALM',
];
