import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Ended, installKit, type KitVersion, runKit } from './drizzle-kit.ts';
import { ended } from './project-copy.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const readme = await readFile(path.join(root, 'README.md'), 'utf8');

/** A service's repository: this package in node_modules, the configurations of the README, and a table of its own. */
export interface ServiceProject extends AsyncDisposable {
  readonly folder: string;
  /** Runs drizzle-kit. */
  kit(args: readonly string[], url?: string): Promise<Ended>;
}

/** The drizzle-kit commands that the README shows for it, without `npx drizzle-kit`. */
export const serviceCommands: readonly (readonly string[])[] = [
  ...(/```sh\n(npx drizzle-kit check [^`]*)```/.exec(readme)?.[1] ?? '').matchAll(
    /^npx drizzle-kit ([^#\n]+)/gm,
  ),
].map(([, args = '']) => args.trim().split(' '));

/** A file that the README shows. */
function readShown(file: string): string {
  const text = readme.split('```ts\n').find((block) => block.startsWith(`// ${file}\n`));
  if (text === undefined) throw new Error(`README.md does not show ${file}`);
  return text.split('```')[0] ?? '';
}

const schema = `import { integer, pgTable, text } from 'drizzle-orm/pg-core';
import { sessions } from 'multi-pair-db/schema';

export const sessionLimits = pgTable('session_limits', {
  sessionId: text('session_id').primaryKey().references(() => sessions.id),
  maxOpenOrders: integer('max_open_orders').notNull(),
});
`;

/** The package as it is published, built from this source. Done once, for all projects of a test. */
export async function buildPackage(): Promise<AsyncDisposable & { readonly folder: string }> {
  const folder = await mkdtemp(path.join(tmpdir(), 'multi-pair-db-package-'));
  const tsc = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const built = await ended(
    process.execPath,
    [tsc, '-p', 'tsconfig.build.json', '--noCheck', '--outDir', path.join(folder, 'dist')],
    root,
    {},
  );
  if (built.code !== 0) throw new Error(built.output);
  const { files }: { files: string[] } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8'));
  for (const name of ['package.json', ...files.filter((file) => file !== 'dist')])
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

/** Puts drizzle-kit, a table and the configurations of the README into a project that has this package. */
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
