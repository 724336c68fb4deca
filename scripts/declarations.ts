/**
 * The last step of the build: the declarations of the tables, for whichever Drizzle a service has.
 *
 * TypeScript writes the type of a table into its .d.ts in terms of the Drizzle that it was compiled with: 0.45 and 1.0 call
 * other generics there, with other arguments. So the tables are compiled twice, the two results stand in `v0/` and `v1/`,
 * and what is imported picks one by what the service's own `drizzle-orm/pg-core` has. All other declarations (rows, inputs,
 * queries) say `typeof sessions.$inferSelect` and the like, and follow. At run time there is one file; the code is the same.
 */
import { readFileSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const schema = fileURLToPath(new URL('../dist/schema', import.meta.url));
/** The files of the tables. */
const tables = (await readdir(new URL('../src/schema', import.meta.url)))
  .filter((file) =>
    readFileSync(new URL(`../src/schema/${file}`, import.meta.url), 'utf8').includes('= pgTable('),
  )
  .map((file) => path.basename(file, '.ts'));
/** Each names generics that the Drizzle of the service may lack: what is not picked is not to be checked. */
const unchecked = '// @ts-nocheck\n';

const declaration =
  /^export declare const (\w+): import\("drizzle-orm\/pg-core"\)\.PgTableWithColumns<\{.*?^\}>;$/gms;

const at = (file: string): string => path.join(schema, file);

// What 1.0 has built, out of the way: of it are kept the tables' declarations and what 1.0 alone compiles.
await rename(at('v1'), at('built'));
for (const folder of ['v0', 'v1']) await mkdir(at(folder));
for (const file of ['relations-v2.js', 'relations-v2.d.ts']) await rename(at(`built/${file}`), at(file));
for (const table of tables) {
  const v0 = await readFile(at(`${table}.d.ts`), 'utf8');
  const v1 = await readFile(at(`built/${table}.d.ts`), 'utf8');
  const picked = v0.replaceAll(
    declaration,
    (_, name) =>
      `export declare const ${name}: 'PgAsyncTransaction' extends keyof typeof import('drizzle-orm/pg-core')\n` +
      `    ? typeof import('./v1/${table}.js').${name}\n    : typeof import('./v0/${table}.js').${name};`,
  );
  if (picked === v0) throw new Error(`${table}.d.ts declares no table in the way that is known here`);
  await writeFile(at(`v0/${table}.d.ts`), unchecked + v0);
  await writeFile(at(`v1/${table}.d.ts`), unchecked + v1);
  await writeFile(at(`${table}.d.ts`), picked);
}
await rm(at('built'), { recursive: true });
