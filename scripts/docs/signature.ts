import type { ClassDeclaration, Node, VariableDeclaration } from 'typescript/unstable/ast';
import {
  isArrowFunction,
  isClassDeclaration,
  isConstructorDeclaration,
  isFunctionDeclaration,
  isInterfaceDeclaration,
  isMethodDeclaration,
  isPropertyDeclaration,
  isTypeAliasDeclaration,
  isVariableDeclaration,
} from 'typescript/unstable/ast/is';

/** In this order they stand on a page. */
export type ExportKind = 'function' | 'constant' | 'class' | 'type';

/** A declaration as a reader wants it: without what it does. */
export interface Signature {
  readonly kind: ExportKind;
  readonly text: string;
}

/** A constant that is longer is known by its type and its docstring. */
const longestValue = 240;

export function readSignature(node: Node): Signature {
  if (isFunctionDeclaration(node)) {
    const head = textBetween(node, node.getStart(), node.body?.pos ?? node.end);
    return { kind: 'function', text: head.replace(/^export (?:async )?/, '').replace(/;?$/, ';') };
  }
  if (isVariableDeclaration(node)) return readVariable(node);
  if (isInterfaceDeclaration(node) || isTypeAliasDeclaration(node))
    return { kind: 'type', text: node.getText().replace(/^export /, '') };
  if (isClassDeclaration(node)) return { kind: 'class', text: readClass(node) };
  throw new Error(`the reference knows no such declaration: ${node.getText().slice(0, 80)}`);
}

function readVariable(node: VariableDeclaration): Signature {
  const { initializer, type } = node;
  const name = node.name.getText();
  if (initializer !== undefined && isArrowFunction(initializer)) {
    const head = textBetween(node, initializer.getStart(), initializer.equalsGreaterThanToken.pos);
    return { kind: 'function', text: `function ${name}${head.replace(/^async /, '')};` };
  }
  const value = initializer?.getText() ?? '';
  if (type !== undefined) return { kind: 'constant', text: `const ${name}: ${type.getText()};` };
  // What is called or built does not say what it is: then the caller says the type.
  return {
    kind: 'constant',
    text:
      value.length > longestValue || /\bsql`|\bz\b|\(/.test(value)
        ? `const ${name};`
        : `const ${name} = ${value};`,
  };
}

/** Its public members, each without its body. */
function readClass(node: ClassDeclaration): string {
  const members = node.members.flatMap((member) => {
    const text = member.getText();
    if (/^(?:private|protected|#)/.test(text)) return [];
    const docs = textBetween(member, member.getStart(undefined, true), member.getStart());
    if (isPropertyDeclaration(member)) return [`${docs}${text}`];
    if (isMethodDeclaration(member) || isConstructorDeclaration(member))
      return [`${docs}${textBetween(member, member.getStart(), member.body?.pos ?? member.end)};`];
    return [];
  });
  const head = textBetween(node, node.getStart(), node.members.pos).replace(/^export /, '');
  return members.length === 0 ? `${head} }` : `${head}\n  ${members.join('\n  ')}\n}`;
}

const textBetween = (node: Node, from: number, to: number): string =>
  node.getSourceFile().text.slice(from, to).trim();
