import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { installKit, type KitVersion } from '../../support/drizzle-kit.ts';
import type { Command, KitFolders, Package } from './command.ts';
import { kitName } from './stock.ts';

/** Installs the versions of drizzle-kit that are needed, each with the files in its own layout. */
export async function installKits(
  { root }: Package,
  commands: readonly Command[],
): Promise<KitFolders & AsyncDisposable> {
  const home = await mkdtemp(path.join(tmpdir(), 'multi-pair-db-kits-'));
  const install = async (version: KitVersion, layout: string): Promise<string> => {
    const folder = path.join(home, version);
    if (!commands.some(({ name }) => name === kitName(version))) return folder;
    await installKit(folder, version, 'postgres');
    await cp(path.join(root, layout), path.join(folder, 'drizzle'), { recursive: true });
    await writeFile(path.join(folder, 'package.json'), '{ "name": "service", "type": "module" }');
    await writeFile(path.join(folder, 'drizzle.config.ts'), config);
    return folder;
  };
  return {
    '0.31': await install('0.31', 'drizzle'),
    '1.0': await install('1.0', 'drizzle-v1'),
    [Symbol.asyncDispose]: () => rm(home, { recursive: true, force: true }),
  };
}

const config = `import { defineConfig } from 'drizzle-kit';

export default defineConfig({
  dialect: 'postgresql',
  out: './drizzle',
  migrations: { schema: 'multi_pair_db', table: 'migrations' },
  dbCredentials: { url: process.env.DATABASE_URL ?? '' },
});
`;
