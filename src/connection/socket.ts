import { connect, type Socket } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { OperationError } from './errors.ts';
import { EncryptionError, encrypt } from './tls.ts';
import type { Encrypted, Encryption } from './url/encryption.ts';
import type { Endpoint } from './url/endpoints.ts';

/** How to reach one server. */
export interface Route {
  readonly endpoint: Endpoint;
  readonly encrypted: Encrypted;
  readonly encryption: Encryption;
  readonly tlsOptions: ConnectionOptions;
}

/** `SSLRequest` of PostgreSQL's protocol: its length, 8, and its code. */
const sslRequest = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);

/** Node.js gives each of a host's addresses 250 ms and then the next one: over a slow line, none of them has a chance. */
const nextAddressAfterMs = 2_000;

/**
 * A socket on which PostgreSQL is ready to be spoken to, encrypted as the route says. `onOpened` gets every socket at
 * once, so that whoever has lost patience can destroy it at any moment.
 *
 * postgres.js has its own way to connect, which goes on for ever with a server that accepts and closes, takes any answer
 * but S for "encrypt anyway", and can't be interrupted.
 */
export async function openSocket(route: Route, onOpened: (socket: Socket) => void): Promise<Socket> {
  const { endpoint, encrypted, encryption, tlsOptions } = route;
  const socket =
    endpoint.socket !== undefined
      ? connect({ path: endpoint.socket })
      : connect({
          host: endpoint.address ?? endpoint.host,
          port: endpoint.port,
          autoSelectFamilyAttemptTimeout: nextAddressAfterMs,
        });
  onOpened(socket);
  await settled(socket, 'connect', endpoint);
  // A socket of this machine needs no encryption, and libpq asks for none.
  if (encrypted !== 'never' && endpoint.socket === undefined) {
    const isOffered = encryption.isDirect || (await asksForTls(socket, endpoint));
    if (isOffered) {
      const secured = await encrypt(socket, endpoint, encryption, tlsOptions);
      onOpened(secured);
      return watchFirstAnswer(secured, endpoint);
    }
    if (encrypted === 'always') {
      socket.destroy();
      throw noTls(endpoint);
    }
  }
  return watchFirstAnswer(socket, endpoint);
}

/** Awaits one event; an error or the end before it is the answer, too. */
function settled(socket: Socket, event: 'connect' | 'data', endpoint: Endpoint): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const done = (settle: () => void): void => {
      socket.off(event, onEvent).off('error', onError).off('close', onClose);
      settle();
    };
    const onEvent = (value: unknown): void => done(() => resolve(value));
    const onError = (cause: Error): void => done(() => reject(cause));
    const onClose = (): void => done(() => reject(closedAtOnce(endpoint)));
    socket.once(event, onEvent).once('error', onError).once('close', onClose);
  });
}

/** S and nothing else is yes, N is no. */
async function asksForTls(socket: Socket, endpoint: Endpoint): Promise<boolean> {
  socket.write(sslRequest);
  const answer = await settled(socket, 'data', endpoint);
  const text = Buffer.isBuffer(answer) ? answer.toString('latin1') : '';
  if (text === 'S' || text === 'N') return text === 'S';
  socket.destroy();
  throw notPostgres(endpoint);
}

/** What a server may answer first: authentication, an error, another protocol version, a notice. */
const firstAnswers = new Set(['R', 'E', 'v', 'N'].map((letter) => letter.charCodeAt(0)));

/** A server of another kind is told from PostgreSQL by the first byte that it says. */
function watchFirstAnswer(socket: Socket, endpoint: Endpoint): Socket {
  socket.prependOnceListener('data', (answer: Buffer) => {
    if (firstAnswers.has(answer[0] ?? 0)) return;
    socket.destroy(notPostgres(endpoint));
    // The driver gets the same bytes after us, and prints what it does not know: let it see a message that has not
    // ended yet.
    answer.fill(0xff);
  });
  return socket;
}

export const closedAtOnce = ({ label }: Endpoint): OperationError =>
  new OperationError({
    code: 'UNREACHABLE',
    message: `${label} accepts connections and closes them at once`,
    advice:
      'Look into the server log: it may be starting or out of processes, or this is the port of a proxy that has no server behind it.',
    isRetryable: true,
  });

const notPostgres = ({ label }: Endpoint): OperationError =>
  new OperationError({
    code: 'UNREACHABLE',
    message: `what answers at ${label} is no PostgreSQL server`,
    advice: 'Check host and port of the URL.',
    isRetryable: false,
  });

const noTls = ({ label }: Endpoint): OperationError =>
  new EncryptionError({
    code: 'UNREACHABLE',
    message: `the server does not speak SSL (${label}), and the URL asks for it`,
    advice:
      'Switch ssl on in the server (alter system set ssl = on; it needs a certificate), or, where the network can be trusted, write sslmode=disable.',
    isRetryable: false,
  });
