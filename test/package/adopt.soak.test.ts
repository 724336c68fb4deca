import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify, stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { type Block, blocksOf } from '../support/blocks.ts';
import { packPackage } from '../support/consumer.ts';
import { createDatabase } from '../support/database.ts';

const run = promisify(execFile);

/** The walk: what comes after it on the page is for reference. */
async function readWalk(): Promise<readonly Block[]> {
  const blocks = await blocksOf('docs/adopt.md');
  const last = blocks.findLastIndex(({ text }) => text.includes('npx vitest run'));
  expect(last).toBeGreaterThan(10);
  return blocks.slice(0, last + 1);
}

test('docs/adopt.md is followed word for word: from an empty folder, by the tarball, to tests that pass', async () => {
  await using db = await createDatabase(18, 'empty');
  const home = await mkdtemp(path.join(tmpdir(), 'multi-pair-db-adopt-'));
  const folder = path.join(home, 'service');
  try {
    await mkdir(path.join(home, 'multi-pair-db'));
    await mkdir(folder);
    await packPackage(path.join(home, 'multi-pair-db'));
    let printed = '';
    for (const { language, file, text } of await readWalk()) {
      if (file !== undefined) {
        await mkdir(path.dirname(path.join(folder, file)), { recursive: true });
        await writeFile(path.join(folder, file), text);
      } else if (language === 'sh') {
        // The one thing that is the reader's own is the database.
        const script = text.replace(/^export DATABASE_URL=.*$/m, '');
        const { stdout } = await run('bash', ['-euc', script], {
          cwd: folder,
          env: { ...process.env, DATABASE_URL: db.url },
        });
        printed = stripVTControlCharacters(stdout);
      } else expect(printed).toBe(text);
    }
    expect(printed).toMatch(/Tests +2 passed/);
  } finally {
    await rm(home, { recursive: true, force: true });
  }
});
