import type { Exported } from './exported.ts';

/** A page of `docs/api`: an entry point, or a part of one. */
export interface ApiPage {
  /** `queries-fills`: the page is `queries-fills.md`. */
  readonly name: string;
  /** What is imported: `multi-pair-db/queries`. */
  readonly entry: string;
  readonly source: string;
  /** Whose project knows it: Drizzle 1.0 has one of its own. */
  readonly config: string;
  readonly summary: string;
  /** Which of the exports stand on it; all, unless given. */
  readonly has?: (one: Exported) => boolean;
}

const config = 'tsconfig.build.json';

/** By the folder that a query stands in. */
const inFolder =
  (...folders: readonly string[]) =>
  ({ file }: Exported): boolean =>
    folders.some((folder) => file.startsWith(`src/queries/${folder}/`));

const queries = { entry: 'multi-pair-db/queries', source: 'src/queries/index.ts', config } as const;

export const apiPages: readonly ApiPage[] = [
  {
    name: 'schema',
    entry: 'multi-pair-db/schema',
    source: 'src/schema/index.ts',
    config,
    summary: 'the tables and the types of their rows',
  },
  {
    name: 'relations',
    entry: 'multi-pair-db/relations',
    source: 'src/schema/relations.ts',
    config,
    summary: 'the relations for Drizzle 0.45',
  },
  {
    name: 'relations-v2',
    entry: 'multi-pair-db/relations-v2',
    source: 'src/schema/relations-v2.ts',
    config: 'test/drizzle-1/tsconfig.build.json',
    summary: 'the relations for Drizzle 1.0',
  },
  {
    ...queries,
    name: 'queries-sessions',
    summary: 'sessions, their pairs and their settlement',
    has: inFolder('sessions'),
  },
  { ...queries, name: 'queries-orders', summary: 'orders', has: inFolder('orders') },
  { ...queries, name: 'queries-fills', summary: 'fills', has: inFolder('fills') },
  {
    ...queries,
    name: 'queries-performance',
    summary: 'profit and loss, volume, equity',
    has: inFolder('performance'),
  },
  {
    ...queries,
    name: 'queries-database',
    summary: 'handles, errors, retries, and whether the database is what this release needs',
    has: inFolder('core', 'database'),
  },
  {
    name: 'zod',
    entry: 'multi-pair-db/zod',
    source: 'src/zod/index.ts',
    config,
    summary: 'schemas of what goes into the queries, for what comes from outside',
  },
  {
    name: 'testing',
    entry: 'multi-pair-db/testing',
    source: 'src/testing/index.ts',
    config,
    summary: 'a migrated database in a test’s process, and rows to put into it',
  },
  {
    name: 'migrate',
    entry: 'multi-pair-db/migrate',
    source: 'src/own/index.ts',
    config,
    summary: 'the migrator: apply, prove, plan and undo',
  },
  {
    name: 'migrations',
    entry: 'multi-pair-db/migrations',
    source: 'src/own/migrations.ts',
    config,
    summary: 'where the migrations are, and which journal they need',
  },
];
