import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import * as queries from '../src/queries/index.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const docs = path.join(root, 'docs');
const pages = (await readdir(docs)).filter((name) => name.endsWith('.md'));

/** The TypeScript of a page is one program, whose first block imports. */
const programOf = (page: string): string =>
  [...page.matchAll(/^```ts\n(.*?)^```/gms)].map(([, code]) => code).join('\n');

/** What tsc says of programs that import this package by its name. */
async function typeCheck(programs: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'multi-pair-db-docs-'));
  try {
    await symlink(path.join(root, 'node_modules'), path.join(folder, 'node_modules'));
    const source = path.join(root, 'src');
    const compilerOptions = { paths: { 'multi-pair-db/*': [`${source}/*/index.ts`] }, noUnusedLocals: false };
    const files = Object.keys(programs);
    const config = { extends: path.join(root, 'tsconfig.json'), compilerOptions, include: [], files };
    for (const [name, text] of Object.entries({ ...programs, 'tsconfig.json': JSON.stringify(config) })) {
      await writeFile(path.join(folder, name), text);
    }
    const tsc = path.join(root, 'node_modules/typescript/bin/tsc');
    return await promisify(execFile)(process.execPath, [tsc, '-p', folder]).then(
      ({ stdout }) => stdout,
      ({ stdout }: { stdout: string }) => stdout,
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

test('the examples of the docs type-check, and a mistake in one would not', async () => {
  const programs: Record<string, string> = {};
  for (const page of pages) {
    programs[`${page}.mts`] = programOf(await readFile(path.join(docs, page), 'utf8'));
  }
  expect(Object.values(programs).join('')).toContain('multi-pair-db/queries');
  const mistake = "import { findFill } from 'multi-pair-db/queries';\nfindFill({ id: 'f' });\n";
  const said = await typeCheck({ ...programs, 'mistake.mts': mistake });
  expect(said.split('\n').filter((line) => line.includes('error'))).toEqual([
    expect.stringContaining('mistake.mts(2,'),
  ]);
});

/** The functions of the data layer that the services had. */
const before = `saveSession saveSessions getSession findSessionsToSettle updateSessionStatus
  updateSessionSettlementStatus getSessionsByStatus getRecentSessions saveOrder saveOrders getOrder getOrders getOpenOrders
  hasOpenSells updateOrderStatus cancelOrder markOrderFilled getOrdersByStatus getRecentOrders getOrderStats saveFill
  saveFills getFillsBySession getFillsByOrder getFillStats getFill updateFill transaction query`.split(/\s+/);

test('each function of the old data layer has its equivalent, which exists', async () => {
  const page = await readFile(path.join(docs, 'from-the-old-data-layer.md'), 'utf8');
  const rows = [...page.matchAll(/^\| (`.*?) +\| (.*?) +\| (.*?) +\|$/gm)];
  const namesIn = (cell = ''): string[] => [...cell.matchAll(/`([\w.]+)`/g)].map(([, name = '']) => name);
  expect(rows.flatMap(([, old]) => namesIn(old)).toSorted()).toEqual(before.toSorted());
  for (const [row, , now = '', different] of rows) {
    // One after the other by semicolons; what belongs to a function stands behind it.
    for (const part of now.split(';')) {
      const [name = ''] = namesIn(part);
      expect(name in queries || /^db\.\w+$/.test(name), row).toBe(true);
    }
    expect(different).not.toBe('');
  }
});
