import { execFile } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { type Benchmark, median, ms } from './measure.ts';

const run = promisify(execFile);
const project = fileURLToPath(new URL('..', import.meta.url));

/** What `import 'multi-pair-db/queries'` adds to a service that has Drizzle for PostgreSQL loaded, as a fresh process. */
export const importCost: Benchmark = {
  name: 'import-cost',
  measure: async () => {
    // As it is published: the queries are one file, because a service pays for each file that it loads.
    await run('npm', ['run', '-s', 'build'], { cwd: project });
    const built = path.join(project, 'dist');
    const code = `
      const start = performance.now();
      await import('drizzle-orm');
      await import('drizzle-orm/pg-core');
      const loaded = performance.now();
      await import(${JSON.stringify(pathToFileURL(`${built}/queries/index.js`).href)});
      console.log(JSON.stringify([loaded - start, performance.now() - loaded]));`;
    const drizzleMs: number[] = [];
    const queriesMs: number[] = [];
    for (let i = 0; i < 25; i++) {
      const { stdout } = await run(process.execPath, ['--input-type=module', '-e', code], { cwd: project });
      const [drizzle, queries]: number[] = JSON.parse(stdout);
      drizzleMs.push(drizzle ?? Number.NaN);
      queriesMs.push(queries ?? Number.NaN);
    }
    const cost = median(queriesMs);
    return [
      {
        what: 'import of multi-pair-db/queries',
        measured: ms(cost),
        goal: '≤ 15 ms',
        against: `drizzle-orm and its pg-core ${ms(median(drizzleMs))}`,
        ok: cost <= 15,
      },
    ];
  },
};
