import type { UrlParameter } from './parameter.ts';

/** A setting of the server, sent when the session starts. */
const setting: UrlParameter = {
  becomes: 'a setting of the session; PGOPTIONS for the client programs',
};

/**
 * Settings of the server that people write into URLs. postgres.js would send any name at all, so a wrong one
 * (`sslmod=require`) would leave the connection unencrypted, or be refused by the server in words about something else.
 * Nobody can tell from here which names a server knows; these are sure, and all others go through `options`.
 */
const names = [
  'search_path',
  'statement_timeout',
  'lock_timeout',
  'idle_in_transaction_session_timeout',
  'idle_session_timeout',
  'transaction_timeout',
  'default_transaction_isolation',
  'default_transaction_read_only',
  'client_min_messages',
  'client_connection_check_interval',
  'DateStyle',
  'IntervalStyle',
  'TimeZone',
  'timezone',
  'extra_float_digits',
  'jit',
  'maintenance_work_mem',
  'row_security',
  'role',
  'session_replication_role',
  'synchronous_commit',
  'temp_buffers',
  'work_mem',
];

export const isServerSetting = (name: string): boolean => names.includes(name);

export const serverSettings: Readonly<Record<string, UrlParameter>> = Object.fromEntries(
  names.map((name) => [name, setting]),
);
