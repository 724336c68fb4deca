import type { UrlParameter } from './parameter.ts';

/** How the session is. */
export const session: Readonly<Record<string, UrlParameter>> = {
  application_name: { becomes: 'how the session is called on the server', variable: 'PGAPPNAME' },
  fallback_application_name: { becomes: 'application_name, where nothing else gives one' },
  options: { becomes: 'settings of the session: -c name=value', variable: 'PGOPTIONS' },
  client_encoding: {
    becomes: 'UTF8, which is all that the driver reads',
    values: ['UTF8', 'utf8', 'UTF-8', 'utf-8', 'auto'],
  },
  keepalives: { becomes: 'whether TCP asks if the other end is there', isArgument: true, values: ['0', '1'] },
  keepalives_idle: { becomes: 'after how many idle seconds it asks', isArgument: true, isNumber: true },
  keepalives_interval: {
    becomes: 'for the client programs; Node.js takes what the machine has',
    isArgument: true,
    isNumber: true,
    note: 'holds for pg_dump and its like; our own session takes what the machine has set',
  },
  keepalives_count: {
    becomes: 'for the client programs; Node.js takes what the machine has',
    isArgument: true,
    isNumber: true,
    note: 'holds for pg_dump and its like; our own session takes what the machine has set',
  },
  tcp_user_timeout: {
    becomes: 'for the client programs; Node.js takes what the machine has',
    isArgument: true,
    isNumber: true,
    note: 'holds for pg_dump and its like; our own session takes what the machine has set',
  },
  replication: {
    becomes: 'refused',
    refused: 'Take it out: a replication session runs no ordinary statement.',
  },
  service: {
    becomes: 'refused',
    refused: 'Service files are not read here. Write host, port, role and database into the URL.',
  },
  servicefile: {
    becomes: 'refused',
    refused: 'Service files are not read here. Write host, port, role and database into the URL.',
  },
};
