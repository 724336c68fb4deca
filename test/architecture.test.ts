import { spawnSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const biome = fileURLToPath(new URL('../node_modules/@biomejs/biome/bin/biome', import.meta.url));
const rules = fileURLToPath(new URL('../biome.json', import.meta.url));

/** File by file, what it imports. */
const upward: Readonly<Record<string, string>> = {
  'src/schema/a.ts': '../queries/index.ts',
  'src/queries/a.ts': '../connection/errors.ts',
  'src/queries/core/a.ts': '../fills/fills.ts',
  'src/queries/fills/a.ts': '../performance/volume.ts',
  'src/connection/a.ts': '../migrate/index.ts',
  'src/migrate/a.ts': '../own/project.ts',
  'src/migrate/catalog/a.ts': '../plan/plan.ts',
  'src/migrate/run/a.ts': '../verify/verify.ts',
  'src/own/checks/a.ts': '../../ops/report/log.ts',
  'src/ops/backup/a.ts': '../../cli/output.ts',
};
const downward: Readonly<Record<string, string>> = {
  'src/queries/performance/b.ts': '../fills/fills.ts',
  'src/migrate/run/b.ts': '../plan/plan.ts',
  'src/ops/backup/b.ts': '../../own/project.ts',
  'src/cli/b.ts': '../ops/report/log.ts',
};
const circle: Readonly<Record<string, string>> = { 'src/own/c.ts': './d.ts', 'src/own/d.ts': './c.ts' };

test('the linter refuses an import against the direction, and a circle', async () => {
  const root = await mkdtemp(path.join(tmpdir(), 'multi-pair-db-imports-'));
  try {
    await cp(rules, path.join(root, 'biome.json'));
    for (const [file, from] of Object.entries({ ...upward, ...downward, ...circle })) {
      await mkdir(path.dirname(path.join(root, file)), { recursive: true });
      await writeFile(path.join(root, file), `export { x } from '${from}';\n`);
    }
    const { stderr } = spawnSync(process.execPath, [biome, 'lint', '--max-diagnostics=none', 'src'], {
      cwd: root,
      encoding: 'utf8',
    });
    const refused = (rule: string): string[] =>
      [...stderr.matchAll(new RegExp(`^(\\S+?):\\d+:\\d+ lint/\\w+/${rule} `, 'gm'))].map(
        ([, file]) => file ?? '',
      );
    expect(refused('noRestrictedImports').toSorted()).toEqual(Object.keys(upward).toSorted());
    expect(refused('noImportCycles').toSorted()).toEqual(Object.keys(circle));
  } finally {
    await rm(root, { recursive: true, force: true });
  }
});

/** It takes some 60 ms to load, which neither `status` nor a service's start has to spare. */
test('PostgreSQL’s parser is loaded in one place, when a plan is made, and elsewhere only its types are named', async () => {
  const root = fileURLToPath(new URL('../src/', import.meta.url));
  const files = (await readdir(root, { recursive: true })).filter((file) => file.endsWith('.ts'));
  const loads: string[] = [];
  for (const file of files) {
    const text = await readFile(path.join(root, file), 'utf8');
    const imports = text.match(/^.*['"]libpg-query['"].*$/gm) ?? [];
    for (const line of imports) if (!/^(import|export) type /.test(line)) loads.push(`${file}:${line}`);
  }
  expect(loads).toEqual([expect.stringMatching(/^migrate\/plan\/parse\.ts: {2}const .* = await import\(/)]);
});
