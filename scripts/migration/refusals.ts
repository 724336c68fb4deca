import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { RefusedKind } from './changes.ts';

/** What to do instead, as code to copy where there is one. */
export const safeWays: Readonly<Record<RefusedKind | 'rewrite', string>> = {
  'not null': `SET NOT NULL reads the whole table while everybody waits. In three migrations:
  1. check(name, sql\`column is not null\`) in the schema: it is added NOT VALID and then validated, while services go on
  2. deploy services that always give a value; fill the rows that have none
  3. by hand, in the frame: alter table … alter column … set not null (quick once the check is valid), then drop the check`,
  type: `A type change rewrites the table and its indexes while everybody waits. Instead:
  1. add a column of the new type beside the old one
  2. have services write both, and fill the old rows in batches (drizzle/0001_multi_pair_support.sql shows how)
  3. read the new one; when nobody reads the old one any more, leave it`,
  'required column': `A column that is NOT NULL without default fails every service that does not know it. Give it a constant default, or let it be null.`,
  rewrite: `The statement rewrites the whole table while everybody waits (a default that is not constant, for example). Instead:
  1. add the column without a default
  2. by hand, in the frame: alter table … alter column … set default … (for new rows only)
  3. fill the old rows in batches (drizzle/0001_multi_pair_support.sql shows how)`,
  'unique constraint': `A UNIQUE constraint builds its index while writers wait. Use uniqueIndex(name).on(…) in the schema: it is built CONCURRENTLY.`,
  drop: `It loses data, and fails every service that still names it. Take it out of the services first; then write the file by hand, with an undo that puts aside what goes (drizzle/down/0001_multi_pair_support.sql shows how).`,
  rename: `Services that run know the old name and fail. Add a column of the new name, write both, then read the new one.`,
  other: `It is not known to be safe on a live table. Write the file by hand in the frame (drizzle/0001_multi_pair_support.sql shows how), with its undo in drizzle/down.`,
};

/** Rules of squawk that the frame itself fulfils: robust statements, limits, CONCURRENTLY, NOT VALID. */
const fulfilled = [
  'adding-foreign-key-constraint',
  'ban-drop-not-null',
  'constraint-missing-not-valid',
  'prefer-bigint-over-int',
  'prefer-robust-stmts',
  'require-concurrent-index-creation',
  'require-concurrent-index-deletion',
  'require-lock-timeout',
  'require-statement-timeout',
];

/** What squawk objects to, and at which statement. */
export interface Objection {
  readonly sql: string;
  readonly reason: string;
}

/** What squawk says of statements beyond that. They are shown to it together: it knows then which tables are new. */
export function listObjections(statements: readonly string[]): Objection[] {
  const squawk = fileURLToPath(new URL('../../node_modules/squawk-cli/js/bin/squawk', import.meta.url));
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [
      squawk,
      '--reporter',
      'json',
      ...fulfilled.map((rule) => `--exclude=${rule}`),
      '--stdin-filepath',
      'file.sql',
    ],
    { input: statements.join('\n'), encoding: 'utf8' },
  );
  if (status !== 0 && status !== 1) throw new Error(`squawk failed: ${stderr}`);
  const found: unknown = JSON.parse(stdout === '' ? '[]' : stdout);
  if (!Array.isArray(found)) throw new Error(`squawk said what is no list: ${stdout}`);
  return found.map((one: { line?: unknown; rule_name?: unknown; message?: unknown; help?: unknown }) => ({
    sql: statementAt(statements, Number(one.line)),
    reason: [one.rule_name, one.message, one.help].filter((part) => typeof part === 'string').join(': '),
  }));
}

/** The statement that holds a line of the whole, from 0. */
function statementAt(statements: readonly string[], line: number): string {
  let end = 0;
  for (const sql of statements) {
    end += sql.split('\n').length;
    if (line < end) return sql;
  }
  return statements.at(-1) ?? '';
}
