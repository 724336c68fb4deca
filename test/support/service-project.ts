import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { blocksOf, commandsOf } from './blocks.ts';
import { type Ended, installKit, type KitVersion, runKit } from './drizzle-kit.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const shown = [...(await blocksOf('README.md')), ...(await blocksOf('docs/ci.md'))];

/** A service's repository: this package in node_modules, the configurations that the docs show, and a table of its own. */
export interface ServiceProject extends AsyncDisposable {
  readonly folder: string;
  /** Runs drizzle-kit. */
  kit(args: readonly string[], url?: string): Promise<Ended>;
}

/** The drizzle-kit commands that docs/ci.md shows for it, without `npx drizzle-kit`. */
export const serviceCommands: readonly (readonly string[])[] = commandsOf(
  shown.filter(({ text }) => text.startsWith('npx drizzle-kit check ')),
).map((line) => line.split(' ').slice(2));

/** A file that the docs show. */
function readShown(file: string): string {
  const block = shown.find((candidate) => candidate.file === file);
  if (block === undefined) throw new Error(`no page shows ${file}`);
  return block.text;
}

const schema = `import { integer, pgTable, text } from 'drizzle-orm/pg-core';
import { sessions } from 'multi-pair-db/schema';

export const sessionLimits = pgTable('session_limits', {
  sessionId: text('session_id').primaryKey().references(() => sessions.id),
  maxOpenOrders: integer('max_open_orders').notNull(),
});
`;

/** The package as it is published. It is built before the run; copied once, for all projects of a test. */
export async function copyPackage(): Promise<AsyncDisposable & { readonly folder: string }> {
  const folder = await mkdtemp(path.join(tmpdir(), 'multi-pair-db-package-'));
  const { files }: { files: string[] } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8'));
  for (const name of ['package.json', ...files])
    await cp(path.join(root, name), path.join(folder, name), { recursive: true });
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}

export async function createServiceProject(
  version: KitVersion,
  { folder: built }: { readonly folder: string },
): Promise<ServiceProject> {
  const folder = await mkdtemp(path.join(tmpdir(), 'multi-pair-db-service-'));
  await cp(built, path.join(folder, 'node_modules', 'multi-pair-db'), { recursive: true });
  await equipService(folder, version);
  return {
    folder,
    kit: (args, url = '') => runKit(folder, args, { DATABASE_URL: url }),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Puts drizzle-kit, a table and the configurations of the docs into a project that has this package. */
export async function equipService(folder: string, version: KitVersion): Promise<void> {
  await installKit(folder, version, 'postgres');
  await mkdir(path.join(folder, 'src'));
  const shown = readShown('drizzle.multi-pair-db.config.ts');
  const [, outOfV1 = ''] = /out: '[^']+', \/\/ with drizzle-kit 1\.0: ('[^']+')/.exec(shown) ?? [];
  await Promise.all(
    Object.entries({
      'package.json': '{ "name": "service", "private": true, "type": "module" }',
      'src/schema.ts': schema,
      'drizzle.config.ts': readShown('drizzle.config.ts'),
      'drizzle.multi-pair-db.config.ts':
        version === '1.0' ? shown.replace(/out: '[^']+'/, `out: ${outOfV1}`) : shown,
    }).map(([name, text]) => writeFile(path.join(folder, name), text)),
  );
}
