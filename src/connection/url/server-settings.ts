import { userInfo } from 'node:os';
import { type Encryption, readEncryption } from './encryption.ts';
import { type Endpoint, listEndpoints } from './endpoints.ts';
import { isServerSetting } from './parameters/index.ts';
import { splitUrl } from './syntax.ts';
import { readValues } from './values.ts';

/** Which of several servers is taken. */
export type ServerRole = 'any' | 'read-write' | 'read-only' | 'primary' | 'standby' | 'prefer-standby';

/** Everything that it takes to reach a database, with what the environment and the defaults add. */
export interface ServerSettings {
  readonly endpoints: readonly Endpoint[];
  readonly user: string;
  /** Undefined: nobody says, and the password file may know. */
  readonly password: string | undefined;
  readonly passwordFile: string | undefined;
  readonly database: string;
  readonly encryption: Encryption;
  /** For each endpoint; 0 is no limit. */
  readonly connectTimeoutMs: number;
  /** After how many idle seconds TCP asks; 0: never. */
  readonly keepAliveSeconds: number;
  readonly role: ServerRole;
  /** What is sent when the session starts, beside role and database. */
  readonly startup: Readonly<Record<string, string>>;
  /** What libpq's client programs have to be told to end up in the same place, by parameter. */
  readonly forPrograms: ReadonlyMap<string, string>;
  readonly notes: readonly string[];
}

const ownName = 'multi-pair-db';
const keepAliveSeconds = 60;

/** All endpoints together: an operator who waits longer believes that nothing happens. */
const connectTimeoutInAllMs = 12_000;
const longestConnectTimeoutMs = 10_000;

/** @throws OperationError `URL_INVALID` */
export function readServerSettings(url: string, environment: NodeJS.ProcessEnv): ServerSettings {
  const parts = splitUrl(url);
  const { values, notes } = readValues(parts.parameters, environment);
  const inQuery = new Set(parts.parameters.keys());
  const pick = (name: string, written: string | undefined): string | undefined =>
    (inQuery.has(name) ? undefined : written) ?? (values.get(name) || undefined);
  const endpoints = listEndpoints(parts.hosts, values, inQuery);
  const user = pick('user', parts.user) ?? userInfo().username;
  const password = pick('password', parts.password);
  const database =
    (inQuery.has('database') ? undefined : pick('dbname', parts.database)) ?? values.get('dbname') ?? user;
  const { encryption, forPrograms, notes: aboutEncryption } = readEncryption(values);
  const connectTimeoutMs = readTimeout(values.get('connect_timeout'), endpoints.length);
  const schema = values.get('schema');
  const settings = listServerSettings(values, schema);
  const options = values.get('options');
  const applicationName =
    values.get('application_name') ?? values.get('fallback_application_name') ?? ownName;
  return {
    endpoints,
    user,
    password,
    passwordFile: values.get('passfile'),
    database,
    encryption,
    connectTimeoutMs,
    keepAliveSeconds:
      values.get('keepalives') === '0' ? 0 : Number(values.get('keepalives_idle') ?? keepAliveSeconds),
    role: toRole(values.get('target_session_attrs')),
    startup: {
      application_name: applicationName,
      ...(options === undefined ? {} : { options }),
      ...settings,
    },
    forPrograms: new Map(
      Object.entries({
        ...Object.fromEntries(values),
        ...forPrograms,
        host: endpoints.map(({ host }) => host).join(','),
        port: endpoints.map(({ port }) => port).join(','),
        user,
        password: password ?? '',
        dbname: database,
        connect_timeout: String(Math.ceil(connectTimeoutMs / 1_000)),
        application_name: applicationName,
        options: [options ?? '', ...Object.entries(settings).map(toOption)].join(' ').trim(),
      }),
    ),
    notes: [
      ...notes,
      ...aboutEncryption,
      ...(schema === undefined
        ? []
        : [`schema=${schema} of the URL: taken as search_path, as Prisma means it`]),
    ],
  };
}

function readTimeout(text: string | undefined, endpoints: number): number {
  if (text === undefined)
    return Math.min(longestConnectTimeoutMs, Math.floor(connectTimeoutInAllMs / endpoints));
  // libpq: nothing and less is no limit.
  return Math.max(0, Number(text)) * 1_000;
}

function listServerSettings(
  values: ReadonlyMap<string, string>,
  schema: string | undefined,
): Record<string, string> {
  const settings = Object.fromEntries([...values].filter(([name]) => isServerSetting(name)));
  if (schema === undefined || schema === '') return settings;
  return { search_path: `"${schema.replaceAll('"', '""')}"`, ...settings };
}

/** `-c name=value` for the server's own command line reader, which takes a backslash before a space. */
const toOption = ([name, value]: [string, string]): string =>
  `-c ${name}=${value.replace(/[\\\s]/g, (found) => `\\${found}`)}`;

function toRole(text: string | undefined): ServerRole {
  const roles: readonly ServerRole[] = ['read-write', 'read-only', 'primary', 'standby', 'prefer-standby'];
  return roles.find((role) => role === text) ?? 'any';
}
