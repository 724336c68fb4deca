/**
 * The declarations of the tables, for whichever Drizzle a service has, with what each column means.
 *
 * TypeScript writes the type of a table into its .d.ts in terms of the Drizzle that it was compiled with: 0.45 and 1.0 call
 * other generics there, with other arguments. So the tables are compiled twice, the two results stand in `v0/` and `v1/`,
 * and what is imported picks one by what the service's own `drizzle-orm/pg-core` has. All other declarations (rows, inputs,
 * queries) follow. At run time there is one file; the code is the same.
 *
 * The docstrings of the columns are lost on the way, because Drizzle computes the columns, so they are written down once
 * more. 1.0 gives a table the properties that its declaration lists: there they stand. 0.45 maps them, and TypeScript 7.0
 * shows nothing of what comes through a mapped type, so that they stand beside the table. (Beside it, on 1.0, would be a
 * property that is declared twice, of which 7.0 shows nothing either.)
 */
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type ColumnDoc, readColumnDocs, tables } from '../column-docs.ts';
import { dist } from './paths.ts';

const schema = path.join(dist, 'schema');
const at = (file: string): string => path.join(schema, file);

/** Each names generics that the Drizzle of the service may lack: what is not picked is not to be checked. */
const unchecked = '// @ts-nocheck\n';

const declaration =
  /^export declare const (\w+): import\("drizzle-orm\/pg-core"\)\.PgTableWithColumns<\{.*?^\}>;$/ms;

export async function writeTables(): Promise<void> {
  // What 1.0 has built, out of the way: of it are kept the tables' declarations and what 1.0 alone compiles.
  await rename(at('v1'), at('built'));
  for (const folder of ['v0', 'v1']) await mkdir(at(folder));
  for (const file of ['relations-v2.js', 'relations-v2.d.ts']) await rename(at(`built/${file}`), at(file));
  for (const table of Object.keys(tables)) {
    const v0 = await readFile(at(`${table}.d.ts`), 'utf8');
    const v1 = await readFile(at(`built/${table}.d.ts`), 'utf8');
    const columns = await readColumnDocs(table);
    await writeFile(at(`v0/${table}.d.ts`), unchecked + describeBeside(v0, columns));
    await writeFile(at(`v1/${table}.d.ts`), unchecked + describeWithin(v1, columns));
    await writeFile(
      at(`${table}.d.ts`),
      replaceTable(v0, () => pickTable(table)),
    );
  }
  await rm(at('built'), { recursive: true });
}

const pickTable = (table: string): string => `\
export declare const ${table}: 'PgAsyncTransaction' extends keyof typeof import('drizzle-orm/pg-core')
    ? typeof import('./v1/${table}.js').${table}
    : typeof import('./v0/${table}.js').${table};`;

function describeWithin(text: string, columns: readonly ColumnDoc[]): string {
  return replaceTable(text, (declared) =>
    columns.reduce(
      (described, { key, text }) =>
        described.replace(
          new RegExp(`^( {8})(?=${key}: )`, 'm'),
          (indent) => `${indent}/** ${text} */\n${indent}`,
        ),
      declared,
    ),
  );
}

/** With `export {}` at its end, a module exports only what says so. */
function describeBeside(text: string, columns: readonly ColumnDoc[]): string {
  const described = replaceTable(text, (declared, name) =>
    [
      declared.replace(`export declare const ${name}`, 'declare const table'),
      "type Columns = (typeof table)['_']['columns'];",
      `export declare const ${name}: {`,
      ...columns.map(({ key, text }) => `    /** ${text} */\n    ${key}: Columns['${key}'];`),
      '} & typeof table;',
    ].join('\n'),
  );
  return `${described}export {};\n`;
}

function replaceTable(text: string, replace: (declared: string, name: string) => string): string {
  if (!declaration.test(text)) throw new Error('a table is declared in no way that is known here');
  return text.replace(declaration, replace);
}
