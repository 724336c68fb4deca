/** A quoted name, the tag of a dollar quote, a word, or one sign. */
const token = /"(?:""|[^"])*"|\$\w*\$|[\w$]+|[^\s]/y;
const blank = /(?:\s|--[^\n]*(?:\n|$))*/y;
const commentEdge = /\/\*|\*\//g;

/** Where the next word begins: behind spaces and comments. Those of PostgreSQL nest. */
function skipBlank(sql: string, from: number): number {
  blank.lastIndex = from;
  const at = from + (blank.exec(sql)?.[0].length ?? 0);
  if (!sql.startsWith('/*', at)) return at;
  let depth = 0;
  commentEdge.lastIndex = at;
  for (let edge = commentEdge.exec(sql); edge !== null; edge = commentEdge.exec(sql)) {
    depth += edge[0] === '/*' ? 1 : -1;
    if (depth === 0) return skipBlank(sql, commentEdge.lastIndex);
  }
  return sql.length;
}

/**
 * The first words of a statement, without comments: what `status` has to know of it, which does not load the parser. Names
 * in quotes keep them, all else is in lower case.
 */
function takeTokens(sql: string, most: number): string[] {
  const words: string[] = [];
  let at = skipBlank(sql, 0);
  while (at < sql.length && words.length < most) {
    token.lastIndex = at;
    const word = token.exec(sql)?.[0] ?? '';
    words.push(/^["$]/.test(word) ? word : word.toLowerCase());
    at = skipBlank(sql, at + Math.max(word.length, 1));
  }
  return words;
}

/** Is it, from this place on, `words`? Gives what follows them; undefined where it is not. */
function after(tokens: readonly string[], words: readonly string[]): readonly string[] | undefined {
  return words.every((word, at) => tokens[at] === word) ? tokens.slice(words.length) : undefined;
}

/** Name of the index that a statement builds CONCURRENTLY, as SQL wants it; undefined where PostgreSQL picks the name. */
export function readConcurrentIndex(sql: string): string | undefined {
  const tokens = takeTokens(sql, 12);
  const rest =
    after(tokens, ['create', 'index', 'concurrently']) ??
    after(tokens, ['create', 'unique', 'index', 'concurrently']);
  if (rest === undefined) return undefined;
  const [name, next] = after(rest, ['if', 'not', 'exists']) ?? rest;
  return next === 'on' && name !== 'on' ? name : undefined;
}

/** `columns` of `do $columns$ …`: the name of a block, which is no part of its tree. */
export function readBlockLabel(sql: string): string | undefined {
  const tokens = takeTokens(sql, 4);
  const rest = after(tokens, ['do']);
  const body = rest?.[0] === 'language' ? rest[2] : rest?.[0];
  return /^\$(\w+)\$$/.exec(body ?? '')?.[1];
}

/** The first line of a statement that is no comment: it is told by it. */
export const firstLine = (sql: string): string =>
  sql.split('\n').find((line) => line.trim() !== '' && !line.trim().startsWith('--')) ?? '';
