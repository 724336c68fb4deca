/** A statement without the comments before it, in one line: enough to see what it is. */
export function normalizeStatement(sql: string): string {
  return sql
    .replace(/^(\s*(--[^\n]*(\n|$)|\/\*[\s\S]*?\*\/))*\s*/, '')
    .replace(/\s+/g, ' ')
    .replace(/\s*;\s*$/, '');
}
