/** A workflow file, as far as a test wants to know. */
export interface Workflow {
  /** The names of its jobs. */
  readonly jobs: readonly string[];
  /** Its command lines, in order. */
  readonly runs: readonly string[];
}

/**
 * Reads the part of YAML that a workflow needs, and refuses any other: two spaces a level, `key:` with or without a plain
 * value, `- ` before an item. So what it takes means to every parser what it means to a reader.
 *
 * @throws Error that names the line
 */
export function readWorkflow(text: string): Workflow {
  const jobs: string[] = [];
  const runs: string[] = [];
  /** Where each open map stands: its indent, its name, and its keys so far. */
  let open: { readonly indent: number; readonly keys: Set<string>; last: string; hasValue: boolean }[] = [];
  for (const [at, line] of text.trimEnd().split('\n').entries()) {
    const refuse = (why: string): Error => new Error(`line ${at + 1}: ${why}: ${line}`);
    const [, spaces = '', dash = '', rest = ''] = /^( *)(- )?(.*)$/.exec(line) ?? [];
    if (/^# /.test(rest)) continue;
    if (spaces.length % 2 === 1 || /^\s/.test(rest) || line.includes('\t'))
      throw refuse('an indent that is not by twos');
    const indent = spaces.length + dash.length;
    open = open.filter((map) => map.indent < indent || (map.indent === indent && dash === ''));
    const parent = open.findLast((map) => map.indent < indent);
    if (indent > 0 && (parent === undefined || parent.hasValue)) throw refuse('nothing to be a part of');
    const pair = /^([\w-]+):(?: (.+?))?(?:\s+# .*)?$/.exec(rest);
    if (pair === null) {
      if (dash === '' || !isPlain(rest)) throw refuse('neither a key nor an item');
      continue;
    }
    const [, key = '', value] = pair;
    if (value !== undefined && !isPlain(value)) throw refuse('a value that has to be quoted');
    const map = open.find((candidate) => candidate.indent === indent) ?? {
      indent,
      keys: new Set(),
      last: '',
      hasValue: false,
    };
    if (!open.includes(map)) open.push(map);
    if (map.keys.has(key)) throw refuse('a key that is there already');
    map.keys.add(key);
    map.last = key;
    map.hasValue = value !== undefined;
    if (indent === 2 && open[0]?.last === 'jobs') jobs.push(key);
    if (key === 'run' && value !== undefined) runs.push(value);
  }
  return { jobs, runs };
}

/** Read as it stands, by every YAML: no quotes, no `: `, no ` #`, and no sign at the start that means something. */
const isPlain = (value: string): boolean => !/: | #|:$|^[&*!|>'"%@`{[,?]/.test(value);
