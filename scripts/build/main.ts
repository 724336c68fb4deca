/** `npm run build`: from `src` to `dist`, as it is published. */
import { execFileSync } from 'node:child_process';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { openProject } from '../typescript.ts';
import { writeBundles } from './bundles.ts';
import { writeCommonJs } from './commonjs.ts';
import { dist, root } from './paths.ts';
import { pruneDist } from './prune.ts';
import { writeRows } from './rows.ts';
import { writeTables } from './tables.ts';
import { writeZodEntry } from './zod-entry.ts';

const compile = (config: string): void => {
  const tsc = path.join(root, 'node_modules/typescript/bin/tsc');
  execFileSync(process.execPath, [tsc, '-p', config], { cwd: root, stdio: 'inherit' });
};

using opened = openProject(path.join(root, 'tsconfig.build.json'));
await rm(dist, { recursive: true, force: true });
compile('tsconfig.build.json');
compile('test/drizzle-1/tsconfig.build.json');
await writeTables();
await writeRows(opened.project);
// CommonJS is made of the bundle of the queries.
await writeBundles();
await writeCommonJs();
await writeZodEntry(opened.project);
await pruneDist();
