/** What `pg_restore --list` says is in a backup, a line for each: `3450; 1259 16390 TABLE public fills postgres`. */
export interface RestoreList {
  readonly lines: readonly string[];
  /** Is something in it? `label` is its kind, schema and name, as `VIEW public latest_fills`. */
  has(label: string): boolean;
}

export function readRestoreList(text: string): RestoreList {
  const lines = text.split('\n').filter((line) => /^\d+; /.test(line));
  return { lines, has: (label) => lines.some((line) => line.includes(` ${label} `)) };
}

/**
 * The list without the schemas and extensions that are there already. To drop them first would take along, or fail on,
 * what others have put into them since.
 */
export function leaveOut(
  { lines }: RestoreList,
  present: { readonly schemas: readonly string[]; readonly extensions: readonly string[] },
): string {
  const labels = [
    ...present.schemas.map((name) => ` SCHEMA - ${name} `),
    ...present.extensions.map((name) => ` EXTENSION - ${name} `),
  ];
  // A comment on one (`COMMENT - SCHEMA x`) or its privileges (`ACL - SCHEMA x`) are entries of their own, and stay.
  const isPresent = (line: string): boolean =>
    labels.some((label) => line.replace(/^\d+; \d+ \d+/, '').startsWith(label));
  return `${lines.filter((line) => !isPresent(line)).join('\n')}\n`;
}
