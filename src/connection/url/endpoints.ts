import { existsSync } from 'node:fs';
import path from 'node:path';
import { type HostPart, invalidUrl } from './syntax.ts';

/** One place where a server may be. */
export interface Endpoint {
  /** A name, an address, or the folder of a socket. */
  readonly host: string;
  readonly port: number;
  /** Where to connect to, where this is not the host itself (`hostaddr`). */
  readonly address: string | undefined;
  /** The socket's file; then neither TCP nor TLS is used. */
  readonly socket: string | undefined;
  /** For messages: the port only where it was given. */
  readonly label: string;
}

const usualPort = '5432';

/** Where packages put the socket of a server on this machine: Debian and Red Hat; as PostgreSQL itself has it. */
const socketFolders = ['/var/run/postgresql', '/tmp'];

/**
 * The servers to try, in order. `host`, `hostaddr` and `port` of the query take the place of what stands before the
 * path, as in libpq; PGHOST and PGPORT fill in what nobody says.
 */
export function listEndpoints(
  written: readonly HostPart[],
  values: ReadonlyMap<string, string>,
  fromQuery: ReadonlySet<string>,
): Endpoint[] {
  const isNamed = written.some(({ host }) => host !== '');
  const own = fromQuery.has('host') || !isNamed ? split(values.get('host')) : undefined;
  const hosts = own ?? written.map(({ host }) => host);
  const ports = listPorts(written, values, fromQuery, hosts.length);
  const addresses = split(values.get('hostaddr'));
  if (addresses !== undefined && addresses.length !== hosts.length)
    throw invalidUrl('hostaddr of the database URL has another number of entries than host');
  return hosts.map((host, index) => {
    const given = ports[index] ?? '';
    return toEndpoint(host, given, addresses?.[index]);
  });
}

function listPorts(
  written: readonly HostPart[],
  values: ReadonlyMap<string, string>,
  fromQuery: ReadonlySet<string>,
  count: number,
): string[] {
  const isWritten = written.some(({ port }) => port !== undefined);
  const ports =
    fromQuery.has('port') || !isWritten ? split(values.get('port')) : written.map(({ port }) => port ?? '');
  if (ports === undefined) return [];
  if (ports.length !== 1 && ports.length !== count)
    throw invalidUrl('the database URL has another number of ports than of hosts');
  for (const port of ports) {
    if (port !== '' && !(/^\d+$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535))
      throw invalidUrl('the database URL has a port that is no number from 1 to 65535');
  }
  return ports.length === 1 ? Array.from({ length: count }, () => ports[0] ?? '') : ports;
}

function toEndpoint(written: string, givenPort: string, address: string | undefined): Endpoint {
  const port = givenPort === '' ? usualPort : givenPort;
  const host = written === '' ? (address ?? findLocal(port)) : written;
  const isSocket = host.startsWith('/');
  const shown = host.includes(':') && !isSocket ? `[${host}]` : host;
  return {
    host,
    port: Number(port),
    address: address === '' ? undefined : address,
    socket: isSocket ? toSocketFile(host, port) : undefined,
    label: givenPort === '' ? shown : `${shown}:${givenPort}`,
  };
}

/** No host at all is the socket of this machine in libpq; each build has its own folder for it, so both get this one. */
function findLocal(port: string): string {
  return socketFolders.find((folder) => existsSync(toSocketFile(folder, port))) ?? 'localhost';
}

const toSocketFile = (folder: string, port: string): string => path.join(folder, `.s.PGSQL.${port}`);

const split = (text: string | undefined): string[] | undefined =>
  text === undefined || text === '' ? undefined : text.split(',');
