/** TypeScript's own API, which 7.0 calls unstable: all that is used of it stands here. */
import {
  API,
  type Checker,
  NodeBuilderFlags,
  type Project,
  SymbolFlags,
  type Symbol as TypeSymbol,
} from 'typescript/unstable/sync';

export type { Checker, Project, TypeSymbol };

/** Opens a project by its tsconfig.json; close it with `using`. */
export function openProject(config: string): Disposable & { readonly project: Project } {
  const api = new API();
  const project = api.updateSnapshot({ openProjects: [config] }).getProject(config);
  if (project === undefined) throw new Error(`TypeScript does not open ${config}`);
  return { project, [Symbol.dispose]: () => api.close() };
}

/** What a module exports, by name. */
export function exportsOf({ program, checker }: Project, file: string): Map<string, TypeSymbol> {
  const source = program.getSourceFile(file);
  const module = source === undefined ? undefined : checker.getSymbolAtLocation(source);
  if (module === undefined) throw new Error(`TypeScript finds no module ${file}`);
  return new Map(checker.getExportsOfModule(module).map((symbol) => [symbol.name, symbol]));
}

/** A type written out, however long it is. */
export const nameType = (checker: Checker, symbol: TypeSymbol): string => {
  const type = checker.getTypeOfSymbol(symbol);
  if (type === undefined) throw new Error(`TypeScript knows no type of ${symbol.name}`);
  return checker.typeToString(type, undefined, NodeBuilderFlags.NoTruncation);
};

/** The properties of a declared type, each as an object type has it: `startedAt?: number | null`. */
export function listProperties(
  { checker }: Project,
  type: TypeSymbol,
): { readonly name: string; readonly declared: string }[] {
  return checker.getPropertiesOfType(checker.getDeclaredTypeOfSymbol(type)).map((property) => {
    const optional = (property.flags & SymbolFlags.Optional) !== 0 ? '?' : '';
    const readonly = (property.checkFlags & isReadonly) !== 0 ? 'readonly ' : '';
    return {
      name: property.name,
      declared: `${readonly}${property.name}${optional}: ${nameType(checker, property)}`,
    };
  });
}

/** `CheckFlags.Readonly`, which the API does not name. */
const isReadonly = 8;

/** What a name that is exported from elsewhere stands for. */
export const resolveSymbol = (checker: Checker, symbol: TypeSymbol): TypeSymbol =>
  (symbol.flags & SymbolFlags.Alias) === 0 ? symbol : checker.getAliasedSymbol(symbol);
