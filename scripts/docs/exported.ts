import path from 'node:path';
import { root } from '../build/paths.ts';
import { exportsOf, nameType, type Project, resolveSymbol, type TypeSymbol } from '../typescript.ts';
import { type ExportKind, readSignature } from './signature.ts';

/** What an entry point exports, and what is said of it. */
export interface Exported {
  readonly name: string;
  readonly kind: ExportKind;
  /** The file that declares it: `src/queries/fills/fills.ts`. */
  readonly file: string;
  /** As TypeScript, without what it does. */
  readonly signature: string;
  readonly text: string;
  readonly throws: readonly string[];
  readonly examples: readonly string[];
}

/** All of them, functions first, then by name. */
export function readExported(project: Project, file: string): Exported[] {
  const order: readonly ExportKind[] = ['function', 'constant', 'class', 'type'];
  return [...exportsOf(project, file)]
    .map(([name, symbol]) => readOne(project, name, symbol))
    .toSorted((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind) || (a.name < b.name ? -1 : 1));
}

function readOne(project: Project, name: string, exported: TypeSymbol): Exported {
  const { checker } = project;
  const symbol = resolveSymbol(checker, exported);
  const nodes = symbol.declarations.map((declaration) => declaration.resolve(project));
  const signatures = nodes.flatMap((node) => (node === undefined ? [] : [readSignature(node)]));
  // Of an overloaded function the last one is what it does.
  const shown = signatures.length > 1 ? signatures.slice(0, -1) : signatures;
  const [first] = shown;
  const file = nodes[0]?.getSourceFile().fileName;
  if (first === undefined || file === undefined) throw new Error(`${name} is declared nowhere`);
  const tags = symbol.getJsDocTags(checker);
  // What it is, and not all that it is made of: the type of a table is some hundred lines.
  const untyped = (): string => `const ${name}: ${nameType(checker, symbol).replace(/<.*$/s, '<…>')};`;
  const textsOf = (tag: string) => tags.filter((one) => one.name === tag).map(({ text = '' }) => text.trim());
  return {
    name,
    kind: first.kind,
    file: path.relative(root, file),
    signature: shown.map(({ text }) => text.replace(/^const (\w+);$/, untyped)).join('\n'),
    text: symbol.getDocumentationComment(checker),
    throws: textsOf('throws'),
    examples: textsOf('example'),
  };
}
