import { readFile } from 'node:fs/promises';
import { isIP, type Socket } from 'node:net';
import {
  type ConnectionOptions,
  checkServerIdentity,
  connect as connectTls,
  rootCertificates,
  type TLSSocket,
} from 'node:tls';
import { OperationError } from './errors.ts';
import type { Encryption } from './url/encryption.ts';
import type { Endpoint } from './url/endpoints.ts';

/** Encryption was wanted and could not be had: without it, it may work. */
export class EncryptionError extends OperationError {}

/** Where machines keep the certificates that they trust; OpenSSL, and so libpq, looks there. */
const systemFiles = [
  process.env['SSL_CERT_FILE'] ?? '',
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/cert.pem',
];

/** What the URL's files hold, read once for all connections of a session. */
export async function readTlsOptions(encryption: Encryption): Promise<ConnectionOptions> {
  if (encryption.tries.every((encrypted) => encrypted === 'never')) return {};
  const { certificate, key, keyPassword, revoked, oldestProtocol, newestProtocol, check } = encryption;
  const protocol = (text: string | undefined) =>
    (['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const).find((version) => version === text);
  const [minVersion, maxVersion] = [protocol(oldestProtocol), protocol(newestProtocol)];
  return {
    rejectUnauthorized: check !== 'nothing',
    ...(check === 'nothing' ? {} : { ca: await readRoots(encryption.rootCertificates) }),
    ...(certificate === undefined ? {} : { cert: await readNamed('sslcert', certificate) }),
    ...(key === undefined ? {} : { key: await readNamed('sslkey', key) }),
    ...(keyPassword === undefined ? {} : { passphrase: keyPassword }),
    ...(revoked === undefined ? {} : { crl: await readNamed('sslcrl', revoked) }),
    ...(minVersion === undefined ? {} : { minVersion }),
    ...(maxVersion === undefined ? {} : { maxVersion }),
  };
}

async function readRoots(from: string): Promise<string | Buffer | string[]> {
  if (from !== 'system') return readNamed('sslrootcert', from);
  for (const file of systemFiles) {
    if (file === '') continue;
    const found = await readFile(file).catch(() => undefined);
    if (found !== undefined) return found;
  }
  return [...rootCertificates];
}

async function readNamed(parameter: string, file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    const code = cause instanceof Error ? String(Reflect.get(cause, 'code')) : '';
    throw new OperationError({
      code: 'URL_INVALID',
      message: `${parameter} of the database URL names ${file}, which can’t be read (${code})`,
      advice: 'Check the path and who may read the file.',
    });
  }
}

/** Speaks TLS on a socket whose server is ready for it, and checks who is there as far as the URL asks. */
export async function encrypt(
  socket: Socket,
  endpoint: Endpoint,
  encryption: Encryption,
  options: ConnectionOptions,
): Promise<TLSSocket> {
  const { host } = endpoint;
  const secured = connectTls({
    ...options,
    socket,
    ...(encryption.namesHost && isIP(host) === 0 ? { servername: host } : {}),
    ...(encryption.isDirect ? { ALPNProtocols: ['postgresql'] } : {}),
    // Node.js would check against the name that the server was told, and call it localhost where there is none.
    checkServerIdentity: (_name, certificate) =>
      encryption.check === 'host' ? checkServerIdentity(host, certificate) : undefined,
  });
  await new Promise<void>((resolve, reject) => {
    secured.once('secureConnect', resolve);
    secured.once('error', (cause) => reject(toEncryptionError(cause, endpoint)));
    secured.once('close', () => reject(closedDuringHandshake(endpoint)));
  });
  secured.removeAllListeners('error');
  secured.removeAllListeners('close');
  return secured;
}

function toEncryptionError(cause: Error, { host, label }: Endpoint): OperationError {
  const code = String(Reflect.get(cause, 'code') ?? '');
  if (cause instanceof OperationError) return cause;
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return new EncryptionError({
      code: 'UNREACHABLE',
      message: `the certificate of ${label} is not for ${host}: ${cause.message}`,
      advice:
        'Write into the URL the name that stands in the certificate (hostaddr=ADDRESS says where it is); sslmode=verify-ca checks no name.',
    });
  }
  if (/CERT|SIGNATURE|ISSUER|SELF_SIGNED|CRL|CHAIN/.test(code)) {
    return new EncryptionError({
      code: 'UNREACHABLE',
      message: `the certificate of ${label} is not trusted: ${cause.message} (${code})`,
      advice:
        'Give the certificate of who has signed it: sslrootcert=FILE. sslmode=require encrypts without checking who is there.',
    });
  }
  return new EncryptionError({
    code: 'UNREACHABLE',
    message: `TLS with ${label} failed: ${cause.message}${code === '' ? '' : ` (${code})`}`,
    advice: 'Check sslcert, sslkey and the TLS versions of the URL, and look into the server log.',
  });
}

const closedDuringHandshake = ({ label }: Endpoint): OperationError =>
  new EncryptionError({
    code: 'UNREACHABLE',
    message: `${label} closed the connection during the TLS handshake`,
    advice: 'Look into the server log: it may want another TLS version, or a certificate of ours (sslcert).',
    isRetryable: true,
  });
