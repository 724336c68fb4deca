/** Node pays for every file that it loads: the queries and the command line are one each. */
import path from 'node:path';
import { type BuildOptions, build } from 'esbuild';
import { dist } from './paths.ts';

const shared: BuildOptions = { bundle: true, allowOverwrite: true, format: 'esm', logLevel: 'warning' };

export async function writeBundles(): Promise<void> {
  const queries = path.join(dist, 'queries/index.js');
  await build({
    ...shared,
    entryPoints: [queries],
    outfile: queries,
    platform: 'neutral',
    // The tables stay those of `multi-pair-db/schema`.
    external: ['drizzle-orm', 'drizzle-orm/*', path.join(dist, 'schema/*')],
  });
  const cli = path.join(dist, 'cli/main.js');
  await build({
    ...shared,
    entryPoints: [cli],
    outfile: cli,
    platform: 'node',
    packages: 'external',
    // Only `verify --explain` needs the queries, and with them Drizzle.
    external: ['./probes.js'],
  });
}
