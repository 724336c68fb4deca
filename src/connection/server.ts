import { setTimeout as sleep } from 'node:timers/promises';
import type postgres from 'postgres';
import type { Connection } from './connection.ts';
import { loadDriver } from './driver.ts';
import { OperationError, toOperationError } from './errors.ts';
import { abandoned, graceMs, interruptedWhileOpening } from './interrupt.ts';
import { Line } from './line.ts';
import { explainOpening } from './login-errors.ts';
import { findPassword } from './passfile.ts';
import { fits, refuseRole } from './server-role.ts';
import { ServerSession } from './server-session.ts';
import type { Route } from './socket.ts';
import { EncryptionError, readTlsOptions } from './tls.ts';
import { formatDuration } from './units.ts';
import type { Endpoint } from './url/endpoints.ts';
import type { ServerRole } from './url/server-settings.ts';
import { createRedactor, type ServerTarget } from './url.ts';

/** What opening a session needs, whichever server it ends up on. */
interface Opening {
  readonly target: ServerTarget;
  readonly driver: typeof postgres;
  readonly tlsOptions: Route['tlsOptions'];
  readonly signal: AbortSignal | undefined;
}

/**
 * Opens a session on the first server of the URL that takes one and is of the kind that is asked for. Ends within the
 * URL's `connect_timeout`, whatever is at the other end, and at once when `signal` is aborted.
 */
export async function openServer(target: ServerTarget, signal?: AbortSignal): Promise<Connection> {
  if (signal?.aborted === true) throw interruptedWhileOpening(target.name);
  const { default: driver } = await loadDriver('postgres', () => import('postgres'));
  const tlsOptions = await readTlsOptions(target.settings.encryption);
  const opening: Opening = { target, driver, tlsOptions, signal };
  const { role } = target.settings;
  // Preferred is what is tried first; what is left is whoever is there.
  const rounds: readonly ServerRole[] = role === 'prefer-standby' ? ['standby', 'any'] : [role];
  let fault: OperationError | undefined;
  for (const wanted of rounds) {
    for (const endpoint of target.settings.endpoints) {
      try {
        return await openEndpoint(opening, endpoint, wanted);
      } catch (error) {
        if (!(error instanceof OperationError)) throw error;
        fault ??= error;
        if (!mayBeElsewhere(error)) throw explainOpening(error, target);
      }
    }
  }
  throw fault === undefined ? refuseRole(role) : explainOpening(fault, target);
}

/** As libpq has it: a server that is not there, or not ready, leads to the next one; one that says no does not. */
const mayBeElsewhere = ({ code, sqlState }: OperationError): boolean =>
  code === 'READ_ONLY' ||
  sqlState === '57P03' ||
  (sqlState === undefined && (code === 'UNREACHABLE' || code === 'CONNECTION_LOST'));

/** Tries a server as often as `sslmode` allows: encrypted or not. All tries together have one patience. */
async function openEndpoint(opening: Opening, endpoint: Endpoint, wanted: ServerRole): Promise<Connection> {
  const { tries } = opening.target.settings.encryption;
  const startedAtMs = Date.now();
  let fault: unknown;
  for (const encrypted of endpoint.socket === undefined ? tries : tries.slice(0, 1)) {
    try {
      return await openRoute(opening, endpoint, encrypted, startedAtMs, wanted);
    } catch (error) {
      fault ??= error;
      if (!isAboutEncryption(error)) throw fault;
    }
  }
  throw fault;
}

/** It was the TLS that failed, or pg_hba.conf that lets in only with it or only without. */
const isAboutEncryption = (error: unknown): boolean =>
  error instanceof EncryptionError || (error instanceof OperationError && error.sqlState === '28000');

async function openRoute(
  opening: Opening,
  endpoint: Endpoint,
  encrypted: Route['encrypted'],
  startedAtMs: number,
  wanted: ServerRole,
): Promise<Connection> {
  const { target, driver, tlsOptions, signal } = opening;
  const { settings, url, name } = target;
  const line = new Line({ endpoint, encrypted, encryption: settings.encryption, tlsOptions });
  const password = settings.password ?? (await findPassword(settings, endpoint));
  const redact = createRedactor(url, password);
  const session = new ServerSession({
    target,
    driver,
    line,
    endpoint,
    redact,
    password,
    openSecond: () => openServer(target, signal),
  });
  const interrupt = (): void => line.cut(interruptedWhileOpening(name));
  signal?.addEventListener('abort', interrupt);
  const patience = settings.connectTimeoutMs;
  const leftMs = Math.max(1, startedAtMs + patience - Date.now());
  const timer =
    patience === 0 ? undefined : setTimeout(() => line.cut(noAnswer(endpoint, patience, line)), leftMs);
  try {
    await session.identify();
    if (!(await fits(session, wanted))) throw refuseRole(wanted);
  } catch (cause) {
    await session.close();
    throw toOperationError(cause, {}, redact);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', interrupt);
  }
  if (signal !== undefined) abandonOnAbort(session, line, signal);
  return session;
}

/**
 * Told to stop, the work cancels its statement and cleans up. Where the server does not answer, it never would: then the
 * line is cut, and everything that waits on it ends.
 */
function abandonOnAbort(session: ServerSession, line: Line, signal: AbortSignal): void {
  const closed = new AbortController();
  const onAbort = (): void => {
    sleep(graceMs, undefined, { signal: closed.signal }).then(
      () => line.cut(abandoned(session)),
      () => {},
    );
  };
  signal.addEventListener('abort', onAbort);
  session.onClose(() => {
    closed.abort();
    signal.removeEventListener('abort', onAbort);
  });
  // It may have come while the session was being opened, in the very moment that nobody listened.
  if (signal.aborted) onAbort();
}

function noAnswer({ label }: Endpoint, patienceMs: number, { isAnswered }: Line): OperationError {
  const waited = formatDuration(patienceMs);
  return new OperationError({
    code: 'UNREACHABLE',
    message: isAnswered
      ? `${label} accepts connections, and then says nothing: waited ${waited}`
      : `${label} did not answer: waited ${waited}`,
    advice: isAnswered
      ? 'Check that this is the port of a PostgreSQL server; one that is stopped, or a pooler without a free server, looks like this, too. connect_timeout=SECONDS in the URL waits longer.'
      : 'Check host and port of the URL, and that no firewall is in between. connect_timeout=SECONDS in the URL waits longer.',
  });
}
