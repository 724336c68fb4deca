/**
 * `npm run check:package`: builds and packs the package once, and looks at the file that would be published: its size, whether
 * each entry point resolves for `import` and `require` (publint), and whether TypeScript agrees (attw).
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { root } from './build/paths.ts';

/** What it may be, in bytes; a quarter above what it is. Whoever passes it says here why. */
const limits = { size: 900_000, unpackedSize: 4_800_000 } as const;

const run = (command: string, args: readonly string[]): boolean =>
  spawnSync(command, args, { cwd: root, stdio: 'inherit' }).status === 0;

if (!run('npm', ['run', '-s', 'build'])) process.exit(1);
const folder = await mkdtemp(path.join(tmpdir(), 'multi-pair-db-packed-'));
try {
  const packed = execFileSync(
    'npm',
    ['pack', '--ignore-scripts', '--silent', '--json', '--pack-destination', folder],
    { cwd: root, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 },
  );
  const [{ filename, ...sizes }]: [{ filename: string; size: number; unpackedSize: number }] =
    JSON.parse(packed);
  let isSound = true;
  for (const key of ['size', 'unpackedSize'] as const) {
    const isLarge = sizes[key] > limits[key];
    console.log(`${key}: ${sizes[key]} of ${limits[key]} bytes${isLarge ? ': too large' : ''}`);
    if (isLarge) isSound = false;
  }
  const tarball = path.join(folder, filename);
  for (const [program, ...args] of [
    ['publint', tarball, '--strict'],
    // node10 knows no exports: the package never was for it.
    ['attw', tarball, '--profile', 'node16'],
  ] as const) {
    if (!run(path.join(root, 'node_modules/.bin', program), args)) isSound = false;
  }
  if (!isSound) process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}
