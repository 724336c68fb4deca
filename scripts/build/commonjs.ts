/**
 * `dist/cjs`: all that a service may `require`, as CommonJS.
 *
 * A service that is CommonJS has the CommonJS of drizzle-orm, whose classes and types are others than those of its ES modules. So it
 * gets tables and queries that are made of that one. (One build for both, ES modules behind `require`, would load Drizzle
 * twice, and TypeScript refuses to mix the two; CommonJS behind `import` would do that to everybody else.)
 */
import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { transform } from 'esbuild';
import { dist } from './paths.ts';

/** What the entry points stand on: all but the command line and what only it uses. */
const folders = ['schema', 'queries', 'zod', 'connection', 'migrate', 'own', 'testing'];

export async function writeCommonJs(): Promise<void> {
  const files = (await readdir(dist, { recursive: true })).filter((file) =>
    folders.includes(file.split(path.sep)[0] ?? ''),
  );
  for (const file of files) {
    const to = path.join(dist, 'cjs', file);
    await mkdir(path.dirname(to), { recursive: true });
    if (file.endsWith('.d.ts')) await copyFile(path.join(dist, file), to);
    if (file.endsWith('.js')) await writeFile(to, await toCommonJs(file));
  }
  // What stands below is CommonJS, to Node and to TypeScript.
  await writeFile(path.join(dist, 'cjs', 'package.json'), '{ "type": "commonjs" }\n');
}

async function toCommonJs(file: string): Promise<string> {
  const source = await readFile(path.join(dist, file), 'utf8');
  const depth = file.split(path.sep).length;
  // Where the module stands that it was made of: files are found from there.
  const twin = [...Array(depth).fill('..'), ...file.split(path.sep)].map((part) => `'${part}'`).join(', ');
  const banner = `const moduleUrl = require('node:url').pathToFileURL(require('node:path').join(__dirname, ${twin})).href;`;
  const { code, warnings } = await transform(source, {
    format: 'cjs',
    platform: 'node',
    target: 'node20',
    // import() would load the ES module of a driver, and of Drizzle.
    supported: { 'dynamic-import': false },
    define: { 'import.meta.url': 'moduleUrl' },
    ...(source.includes('import.meta.url') && { banner }),
  });
  if (warnings.length > 0) throw new Error(`${file}: ${warnings.map(({ text }) => text).join('; ')}`);
  return code;
}
