import { readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import type { Endpoint } from './url/endpoints.ts';
import type { ServerSettings } from './url/server-settings.ts';

/** What libpq calls a socket in its usual folder, in a password file. */
const local = 'localhost';

/**
 * The password that `~/.pgpass` (or `passfile`, `PGPASSFILE`) has for a server: the first line that fits,
 * `host:port:database:user:password`. As libpq does, it leaves a file alone that others can read.
 */
export async function findPassword(
  { passwordFile, database, user }: ServerSettings,
  endpoint: Endpoint,
): Promise<string | undefined> {
  const file = passwordFile ?? path.join(homedir(), '.pgpass');
  const lines = await readLines(file);
  const hosts = endpoint.socket === undefined ? [endpoint.host] : [endpoint.host, local];
  for (const line of lines) {
    const [host, port, name, role, password] = splitLine(line);
    const fits = (field: string | undefined, values: readonly string[]): boolean =>
      field === '*' || (field !== undefined && values.includes(field));
    if (
      fits(host, hosts) &&
      fits(port, [String(endpoint.port)]) &&
      fits(name, [database]) &&
      fits(role, [user])
    )
      return password;
  }
  return undefined;
}

async function readLines(file: string): Promise<string[]> {
  try {
    const { mode } = await stat(file);
    const isOpen = process.platform !== 'win32' && (mode & 0o077) !== 0;
    return isOpen
      ? []
      : (await readFile(file, 'utf8')).split(/\r?\n/).filter((line) => !line.startsWith('#'));
  } catch {
    // No file, no password: the server says what it thinks of that.
    return [];
  }
}

/** Fields are parted by colons; a backslash takes the next character as it is. The last field ends with the line. */
function splitLine(line: string): string[] {
  const fields: string[] = [''];
  for (let at = 0; at < line.length; at++) {
    const letter = line[at] ?? '';
    if (letter === ':' && fields.length < 5) fields.push('');
    else fields[fields.length - 1] += letter === '\\' && at + 1 < line.length ? (line[++at] ?? '') : letter;
  }
  return fields;
}
