/**
 * Makes docs/captures: what an operator sees in a terminal of 80 and of 120 columns, and the page that a migration leaves.
 * All of it is of the built command line on a real server, with trades beside it: a night at each width.
 */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { startServer } from '../../test/support/server.ts';
import { openCamera } from './browser.ts';
import { type Night, spendNight } from './night.ts';
import { drawTerminal } from './picture.ts';
import { shrinkPng } from './png.ts';
import { textOf } from './screen.ts';
import { listDifferences } from './words.ts';

const folder = fileURLToPath(new URL('../../docs/captures/', import.meta.url));
const faults: string[] = [];

const server = await startServer(18, { port: '5432', fsync: 'on', max_wal_size: '4GB' });
try {
  const narrow = await spendNight(server, 80);
  const wide = await spendNight(server, 120);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await writePictures(narrow, 80);
  await writePictures(wide, 120);
  for (const [name, { rows }] of narrow.screens) {
    const other = wide.screens.get(name)?.rows ?? [];
    const differences = listDifferences(rows.map(textOf), other.map(textOf));
    if (differences.length > 0)
      faults.push(`${name} has not the same words at both widths: ${differences.join(' ')}`);
  }
  await writeFile(path.join(folder, 'migrate.html'), narrow.page);
  await photograph(narrow.page);
} finally {
  await server.destroy();
}
const texts = (await readdir(folder)).filter((file) => !file.endsWith('.png'));
for (const file of texts) {
  const words = (await readFile(path.join(folder, file), 'utf8')).split(/[^\w./-]+/);
  for (const secret of [hostname(), tmpdir(), process.cwd()])
    if (words.some((word) => word === secret || word.startsWith(`${secret}/`)))
      faults.push(`${file} says where it was made: ${secret}`);
}
for (const fault of faults) console.error(fault);
if (faults.length > 0) process.exitCode = 1;

async function writePictures({ screens }: Night, columns: number): Promise<void> {
  for (const [name, { command, rows }] of screens) {
    const prompt = { pieces: [{ text: `$ ${command}`, isBold: true }] };
    await writeFile(
      path.join(folder, `${name}-${columns}.svg`),
      drawTerminal([prompt, ...rows], columns, command),
    );
    for (const row of rows.filter(({ isWrapped }) => isWrapped))
      faults.push(`${name} at ${columns} columns: the terminal had to break a line before: ${textOf(row)}`);
  }
}

async function photograph(page: string): Promise<void> {
  await using camera = await openCamera();
  for (const [name, view] of [
    ['page-light', { width: 1_000, scheme: 'light' }],
    ['page-dark', { width: 1_000, scheme: 'dark' }],
    ['page-narrow', { width: 400, scheme: 'light' }],
  ] as const) {
    await writeFile(path.join(folder, `${name}.png`), shrinkPng(await camera.photograph(page, view)));
  }
}
