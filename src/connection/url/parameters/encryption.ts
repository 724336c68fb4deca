import type { UrlParameter } from './parameter.ts';

const noKerberos: UrlParameter = {
  becomes: 'refused',
  refused:
    'The driver postgres.js can’t authenticate by GSSAPI. Take it out, and use a password or a certificate.',
};

/** Whether and how the connection is encrypted, and both ends are checked. */
export const encryption: Readonly<Record<string, UrlParameter>> = {
  sslmode: {
    becomes: 'whether the connection is encrypted, and how the server is checked, as libpq has it',
    variable: 'PGSSLMODE',
    values: ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full', 'no-verify'],
  },
  ssl: {
    becomes: 'sslmode, in the spelling of postgres.js; `true` checks the certificate there, and here',
    alias: 'sslmode',
  },
  sslrootcert: {
    becomes: 'who may sign the server’s certificate; `system`: the machine’s own',
    variable: 'PGSSLROOTCERT',
  },
  sslcert: { becomes: 'our certificate; needs sslkey', variable: 'PGSSLCERT' },
  sslkey: { becomes: 'the key of our certificate', variable: 'PGSSLKEY' },
  // libpq has no variable for it, and every user of the machine can read an argument.
  sslpassword: { becomes: 'the password of sslkey; backup and restore refuse it' },
  sslcrl: { becomes: 'certificates that are withdrawn', variable: 'PGSSLCRL' },
  sslsni: {
    becomes: 'whether the server is told which host is meant',
    variable: 'PGSSLSNI',
    values: ['0', '1'],
  },
  sslnegotiation: {
    becomes: 'whether TLS begins at once (PostgreSQL 17)',
    variable: 'PGSSLNEGOTIATION',
    values: ['postgres', 'direct'],
  },
  ssl_min_protocol_version: {
    becomes: 'the oldest TLS that is spoken',
    variable: 'PGSSLMINPROTOCOLVERSION',
    values: ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'],
  },
  ssl_max_protocol_version: {
    becomes: 'the newest TLS that is spoken',
    variable: 'PGSSLMAXPROTOCOLVERSION',
    values: ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'],
  },
  sslcompression: { becomes: 'nothing: no server compresses any more', values: ['0'] },
  sslcertmode: {
    becomes: 'whether our certificate is shown',
    variable: 'PGSSLCERTMODE',
    values: ['disable', 'allow'],
  },
  channel_binding: {
    becomes:
      'the client programs bind; postgres.js can’t, so `require` checks the certificate as verify-full does',
    variable: 'PGCHANNELBINDING',
    values: ['disable', 'prefer', 'require'],
  },
  gssencmode: {
    becomes: 'nothing: GSSAPI is not used',
    variable: 'PGGSSENCMODE',
    values: ['disable', 'prefer'],
  },
  // Prisma: strict checks the certificate, the other does not, which is what sslmode=require means.
  sslaccept: { becomes: '`strict` is verify-full', values: ['strict', 'accept_invalid_certs'] },
  // node-postgres: sslmode means what it means in libpq, which it does here anyway.
  uselibpqcompat: { becomes: 'kept as it is: sslmode means what it means in libpq' },
  sslidentity: {
    becomes: 'refused',
    refused:
      'Take certificate and key out of it, and name them: openssl pkcs12 -in FILE -nodes; sslcert=…&sslkey=…',
  },
  sslcrldir: {
    becomes: 'refused',
    variable: 'PGSSLCRLDIR',
    refused: 'Put the lists into one file: sslcrl=FILE',
  },
  requirepeer: {
    becomes: 'refused',
    variable: 'PGREQUIREPEER',
    refused:
      'Node.js can’t see who is at the other end of a socket. Take it out, or connect by TLS with sslmode=verify-full.',
  },
  require_auth: {
    becomes: 'refused',
    variable: 'PGREQUIREAUTH',
    refused:
      'The driver postgres.js can’t insist on a way to authenticate. Take it out; sslmode=verify-full makes sure of the server.',
  },
  krbsrvname: noKerberos,
  gsslib: noKerberos,
  gssdelegation: noKerberos,
};
