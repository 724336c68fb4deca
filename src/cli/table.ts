/**
 * Rows as lines of columns, as wide as what is in them: the first row is the head. A head that begins with `>` has its
 * column on the right, as numbers are read; a column that is empty all the way down is left out.
 */
export function formatTable(rows: readonly (readonly string[])[]): string[] {
  const [head = [], ...body] = rows;
  const columns = head.flatMap((title, at) => {
    const cells = body.map((row) => row[at] ?? '');
    if (cells.every((cell) => cell === '')) return [];
    const isRight = title.startsWith('>');
    const name = isRight ? title.slice(1) : title;
    const width = Math.max(name.length, ...cells.map((cell) => cell.length));
    const pad = (cell: string): string => (isRight ? cell.padStart(width) : cell.padEnd(width));
    return [[pad(name), ...cells.map(pad)]];
  });
  return [head, ...body].map((_, at) =>
    columns
      .map((column) => column[at])
      .join('  ')
      .trimEnd(),
  );
}
