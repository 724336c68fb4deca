import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { invalidUrl } from './syntax.ts';

/** Whether to encrypt, in the order in which it is tried. */
export type Encrypted = 'never' | 'if-offered' | 'always';

/** How the connection is encrypted and the server checked, as libpq reads `sslmode` and the rest. */
export interface Encryption {
  readonly tries: readonly Encrypted[];
  /** `chain`: somebody we trust has signed the certificate. `host`: and it is for the host that we mean. */
  readonly check: 'nothing' | 'chain' | 'host';
  /** A file, or `system` for those that the machine trusts. */
  readonly rootCertificates: string;
  readonly certificate: string | undefined;
  readonly key: string | undefined;
  readonly keyPassword: string | undefined;
  readonly revoked: string | undefined;
  readonly oldestProtocol: string | undefined;
  readonly newestProtocol: string | undefined;
  readonly namesHost: boolean;
  readonly isDirect: boolean;
}

/** libpq's default: encrypted where the server can. */
const usualMode = 'prefer';

/** What each mode tries, and what it checks. */
const modes: Readonly<Record<string, Pick<Encryption, 'tries' | 'check'>>> = {
  disable: { tries: ['never'], check: 'nothing' },
  allow: { tries: ['never', 'always'], check: 'nothing' },
  prefer: { tries: ['if-offered', 'never'], check: 'nothing' },
  require: { tries: ['always'], check: 'nothing' },
  // node-postgres' word for what `require` is in libpq.
  'no-verify': { tries: ['always'], check: 'nothing' },
  'verify-ca': { tries: ['always'], check: 'chain' },
  'verify-full': { tries: ['always'], check: 'host' },
};

/** What is checked, the values that lead libpq's programs to the same, and what an operator should know about it. */
export interface EncryptionReading {
  readonly encryption: Encryption;
  readonly forPrograms: Readonly<Record<string, string>>;
  readonly notes: readonly string[];
}

export function readEncryption(values: ReadonlyMap<string, string>): EncryptionReading {
  const notes: string[] = [];
  const asked = values.get('sslmode') ?? usualMode;
  const mode = strengthen(asked, values, notes);
  const root = values.get('sslrootcert') ?? findUsersFile('root.crt');
  const chosen = modes[mode] ?? { tries: ['always'], check: 'host' };
  // libpq: `require` checks the chain where there is a root certificate, for compatibility with its first versions.
  const check = mode === 'require' && root !== undefined && root !== 'system' ? 'chain' : chosen.check;
  if (root === 'system' && mode !== 'verify-full' && values.has('sslmode'))
    throw invalidUrl('sslrootcert=system goes with sslmode=verify-full only', 'Write sslmode=verify-full.');
  if (mode === 'verify-ca' && root === undefined)
    throw invalidUrl(
      'sslmode=verify-ca needs sslrootcert, the certificate of who signs the server’s',
      'Add sslrootcert=FILE, or write sslmode=verify-full to check it against those that this machine trusts.',
    );
  // Without a file there is nobody but the machine to ask; libpq would refuse, and be told the same.
  const isSystem = root === 'system' || (root === undefined && mode === 'verify-full');
  const rootCertificates = isSystem ? 'system' : (root ?? '');
  return {
    encryption: {
      tries: root === 'system' ? ['always'] : chosen.tries,
      check: root === 'system' ? 'host' : check,
      rootCertificates,
      ...readOwnCertificate(values),
      revoked: values.get('sslcrl'),
      oldestProtocol: values.get('ssl_min_protocol_version'),
      newestProtocol: values.get('ssl_max_protocol_version'),
      namesHost: values.get('sslsni') !== '0',
      isDirect: values.get('sslnegotiation') === 'direct',
    },
    forPrograms: {
      sslmode: root === 'system' ? 'verify-full' : mode === 'no-verify' ? 'require' : mode,
      ...(rootCertificates === '' ? {} : { sslrootcert: rootCertificates }),
    },
    notes,
  };
}

/** What asks for more than `sslmode` says. */
function strengthen(asked: string, values: ReadonlyMap<string, string>, notes: string[]): string {
  const isStrict = values.get('sslaccept') === 'strict';
  // The driver can't tie the password to the connection. What it is for, that nobody stands in between, the
  // certificate tells as well; leaving it out in silence would not.
  const isBound = values.get('channel_binding') === 'require';
  if ((!isStrict && !isBound) || asked === 'verify-full' || (asked === 'verify-ca' && isStrict)) return asked;
  const why = isBound ? 'channel_binding=require' : 'sslaccept=strict';
  if (asked === 'disable')
    throw invalidUrl(`the database URL asks for ${why} and for sslmode=disable`, 'Take one of the two out.');
  notes.push(
    `${why} of the URL: the server’s certificate is checked as with sslmode=verify-full${isBound ? ', because the driver can’t bind' : ''}`,
  );
  return 'verify-full';
}

function readOwnCertificate(
  values: ReadonlyMap<string, string>,
): Pick<Encryption, 'certificate' | 'key' | 'keyPassword'> {
  if (values.get('sslcertmode') === 'disable')
    return { certificate: undefined, key: undefined, keyPassword: undefined };
  const certificate = values.get('sslcert') ?? findUsersFile('postgresql.crt');
  const key = values.get('sslkey') ?? findUsersFile('postgresql.key');
  if (certificate !== undefined && key === undefined)
    throw invalidUrl(
      'sslcert is our own certificate, and needs sslkey',
      'Add sslkey=FILE. If the server’s root certificate is meant (Prisma calls that sslcert), write sslrootcert=FILE.',
    );
  return {
    certificate,
    key: certificate === undefined ? undefined : key,
    keyPassword: values.get('sslpassword'),
  };
}

/** What lies in a user's folder is taken without being asked for, by libpq and so by us. */
function findUsersFile(name: string): string | undefined {
  const file = path.join(homedir(), '.postgresql', name);
  return existsSync(file) ? file : undefined;
}
