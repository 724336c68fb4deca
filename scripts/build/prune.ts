/** Takes out of `dist` what no entry point leads to: what the bundles have taken in, and declarations of what is inside. */
import { readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { dist, root } from './paths.ts';

export async function pruneDist(): Promise<void> {
  const { exports, bin } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8'));
  const entries = [...JSON.stringify([exports, bin]).matchAll(/"\.\/(dist\/[^"]+)"/g)];
  const queue = entries.map(([, file = '']) => path.join(root, file));
  const reached = new Set<string>();
  for (const file of queue) {
    if (reached.has(file)) continue;
    reached.add(file);
    for (const [, imported = ''] of (await readFile(file, 'utf8')).matchAll(relative)) {
      const target = path.resolve(path.dirname(file), imported);
      // A declaration says `./a.ts` or `./a.js`, and means the declaration of it.
      queue.push(file.endsWith('.d.ts') ? target.replace(/\.[jt]s$/, '.d.ts') : target);
    }
  }
  for (const file of await readdir(dist, { recursive: true })) {
    const whole = path.join(dist, file);
    if (/\.(js|ts)$/.test(file) && !reached.has(whole)) await rm(whole);
  }
}

/** `from './a.js'`, `import './a.js'`, `import('./a.js')`, `require('./a.js')`. */
const relative = /(?:\bfrom\s*|\bimport\s*\(?\s*|\brequire\s*\(\s*)["'](\.[^"']+)["']/g;
