/**
 * The types of rows, written out in the declarations with what each column means. In the sources they are computed from the
 * tables (`typeof sessions.$inferSelect`), which loses the docstrings; written out they are the same types, and a service's
 * compiler has nothing to compute.
 */
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { readColumnDocs } from '../column-docs.ts';
import { exportsOf, listProperties, type Project } from '../typescript.ts';
import { dist, root } from './paths.ts';

/** The module of each type, the table whose columns are its properties, and its name. */
const rowTypes: readonly (readonly [module: string, table: string, ...types: string[]])[] = [
  ['schema/sessions', 'sessions', 'Session', 'NewSession'],
  ['schema/orders', 'orders', 'Order', 'NewOrder'],
  ['schema/fills', 'fills', 'Fill', 'NewFill'],
  ['queries/sessions/insert-session', 'sessions', 'SessionInput'],
  ['queries/sessions/session-summary', 'sessions', 'SessionSummary'],
  ['queries/orders/insert-orders', 'orders', 'OrderInput'],
  ['queries/fills/fill-input', 'fills', 'FillInput'],
  ['queries/fills/correct-fill', 'fills', 'FillCorrection'],
];

export async function writeRows(project: Project): Promise<void> {
  for (const [module, table, ...types] of rowTypes) {
    const columns = await readColumnDocs(table);
    const symbols = exportsOf(project, path.join(root, 'src', `${module}.ts`));
    const file = path.join(dist, `${module}.d.ts`);
    let text = await readFile(file, 'utf8');
    for (const type of types) {
      const symbol = symbols.get(type);
      // To the end of the statement: what follows begins a line.
      const computed = new RegExp(`^export type ${type} = [^]*?;\\n(?![ }])`, 'm');
      if (symbol === undefined || !computed.test(text)) throw new Error(`${file} has no type ${type}`);
      const declared = new Map(listProperties(project, symbol).map((one) => [one.name, one.declared]));
      // In the order of the table, which TypeScript does not keep.
      const properties = columns.flatMap(({ key, text: doc }) => {
        const property = declared.get(key);
        return property === undefined ? [] : [`    /** ${doc} */\n    ${property};\n`];
      });
      if (properties.length !== declared.size) throw new Error(`${type} has what is no column of ${table}`);
      text = text.replace(computed, () => `export type ${type} = {\n${properties.join('')}};\n`);
    }
    await writeFile(file, text);
  }
}
