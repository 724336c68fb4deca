import type { UrlParameter } from './parameter.ts';

/** Which server, role and database. */
export const where: Readonly<Record<string, UrlParameter>> = {
  host: { becomes: 'the hosts, in place of those before the path; a folder is a socket', variable: 'PGHOST' },
  hostaddr: {
    becomes: 'the addresses to connect to; certificates are checked against `host`',
    isArgument: true,
  },
  port: { becomes: 'the ports, one for each host or one for all', variable: 'PGPORT' },
  user: { becomes: 'the role', variable: 'PGUSER' },
  password: { becomes: 'the password', variable: 'PGPASSWORD' },
  passfile: { becomes: 'where to look for a password that nobody gave', variable: 'PGPASSFILE' },
  dbname: { becomes: 'the database', variable: 'PGDATABASE' },
  database: { becomes: 'dbname', alias: 'dbname' },
  target_session_attrs: {
    becomes: 'which of several servers is taken',
    variable: 'PGTARGETSESSIONATTRS',
    values: ['any', 'read-write', 'read-only', 'primary', 'standby', 'prefer-standby'],
  },
  load_balance_hosts: {
    becomes: 'hosts are tried in their order',
    variable: 'PGLOADBALANCEHOSTS',
    values: ['disable'],
  },
  connect_timeout: {
    becomes: 'seconds for each host to let us in; 0 is no limit',
    variable: 'PGCONNECT_TIMEOUT',
    isNumber: true,
  },
};
