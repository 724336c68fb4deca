/**
 * What `multi-pair-db/zod` is to Node: it says what to type where zod is not installed. An `import` at the top of a file
 * fails before any of our lines runs, so the ES module awaits the schemas. A bundler takes the schemas themselves (the
 * condition `module` in package.json): it says itself what it can't find, and some formats have no `await` at the top.
 */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { exportsOf, type Project } from '../typescript.ts';
import { dist, root } from './paths.ts';

const explain = (code: string): string => `\
function explain(error) {
  if (error?.code !== '${code}' || !String(error.message).includes("'zod'")) throw error;
  throw new Error('multi-pair-db/zod needs zod, which is not installed: npm install zod', { cause: error });
}
`;

export async function writeZodEntry(project: Project): Promise<void> {
  const names = [...exportsOf(project, path.join(root, 'src/zod/index.ts')).keys()].toSorted();
  await writeFile(
    path.join(dist, 'zod/entry.js'),
    `${explain('ERR_MODULE_NOT_FOUND')}
const schemas = await import('./index.js').catch(explain);
export const {\n${names.map((name) => `  ${name},\n`).join('')}} = schemas;
`,
  );
  await writeFile(
    path.join(dist, 'cjs/zod/entry.js'),
    `'use strict';
${explain('MODULE_NOT_FOUND')}
try {
  module.exports = require('./index.js');
} catch (error) {
  explain(error);
}
// What Node reads to know the names, where an ES module imports this one.
0 && (module.exports = { ${names.join(', ')} });
`,
  );
}
