import type { Node } from 'libpg-query';

export type { Node } from 'libpg-query';

/** Names of all kinds of nodes: `AlterTableStmt`, `RangeVar`, … */
export type NodeName = Node extends infer One ? (One extends Node ? keyof One : never) : never;

/** What stands under each name. */
export type Nodes = { readonly [Name in NodeName]: Extract<Node, Readonly<Record<Name, unknown>>>[Name] };

/** The statements of a text, as trees; undefined where the parser refuses it, as it refuses what is newer than it. */
export type Parse = (sql: string) => readonly Node[] | undefined;

/** PostgreSQL's own parser. */
export interface Parser {
  readonly parse: Parse;
  /** A DO block in PL/pgSQL, as a tree of its own kind; undefined where the parser refuses it. */
  readonly parseBlock: (sql: string) => unknown;
}

/**
 * Loads the parser of PostgreSQL 18. It takes some 60 ms, so only what makes a plan awaits it: `status` and `--version`
 * never do, and no service does.
 */
export async function loadParser(): Promise<Parser> {
  const { loadModule, parsePlPgSQLSync, parseSync, SqlError } = await import('libpg-query');
  await loadModule();
  return {
    parse: (sql) => {
      // It takes an empty text for a fault of its caller.
      if (sql === '') return [];
      try {
        return (parseSync(sql).stmts ?? []).flatMap(({ stmt }) => stmt ?? []);
      } catch (error) {
        if (error instanceof SqlError) return undefined;
        throw error;
      }
    },
    parseBlock: (sql) => {
      try {
        return parsePlPgSQLSync(sql);
      } catch {
        // Refused, in an error without a class of its own: what the block does is then not known, whatever the reason.
        return undefined;
      }
    },
  };
}

/** Calls `visit` for each object of a tree, parents first, until it says false: then what is below is left out. */
export function walk(tree: unknown, visit: (node: Readonly<Record<string, unknown>>) => boolean): void {
  if (Array.isArray(tree)) for (const one of tree) walk(one, visit);
  else if (isRecord(tree) && visit(tree)) for (const one of Object.values(tree)) walk(one, visit);
}

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The words of a list of names: `["s", "b"]` of `s.b`. */
export const readWords = (list: readonly Node[] | undefined): string[] =>
  (list ?? []).flatMap((one) => ('String' in one && one.String.sval !== undefined ? [one.String.sval] : []));

/** The same, of what stands somewhere in a tree. */
export const readNames = (list: unknown): string[] =>
  Array.isArray(list) ? readWords(list.filter((one): one is Node => isRecord(one))) : [];

/** Is an option of a list such as `(full, analyze false)` on? */
export function isOn(options: readonly Node[] | undefined, name: string): boolean {
  return (options ?? []).some((option) => {
    if (!('DefElem' in option) || option.DefElem.defname !== name) return false;
    const { arg } = option.DefElem;
    if (arg === undefined) return true;
    if ('Integer' in arg) return (arg.Integer.ival ?? 0) !== 0;
    if ('Boolean' in arg) return arg.Boolean.boolval === true;
    return 'String' in arg && !['false', 'off'].includes((arg.String.sval ?? '').toLowerCase());
  });
}
