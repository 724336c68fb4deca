import type { LockMode, Project, StatementFacts, TableLock } from '../migrate/project.ts';
import { migrationsFolder, migrationsSchema, migrationsTable } from './migrations.ts';
import { ownPair, rowRules } from './row-rules.ts';

const quick = { locks: [], rewrite: 'no', isQuick: true } as const;
const looks: StatementFacts = { lock: 'none on tables', work: 'reads the catalog', tables: [], ...quick };

/** Its tables, each locked in one mode, and no file written anew. */
const lockedAs = (
  mode: LockMode,
  tables: readonly string[],
): Pick<StatementFacts, 'tables' | 'locks' | 'rewrite'> => ({
  tables,
  locks: tables.map((name): TableLock => ({ name, on: 'itself', mode })),
  rewrite: 'no',
});
const batches = 'ROW EXCLUSIVE, and the rows of one batch; passes over rows that others hold';

/** This package's own migrations, and what their DO blocks do: what stands in them can't be read from outside. */
export const ownProject: Project = {
  folder: migrationsFolder,
  journal: { schema: migrationsSchema, table: migrationsTable },
  versions: { oldest: 15, newest: 18 },
  rowRules,
  putAside: {
    '0001_multi_pair_support': {
      'sessions whose pairs symbol can’t give back': `select count(*) as rows from sessions
        where pairs <> case when ${ownPair} is null then '[]' else jsonb_build_array(${ownPair}) end`,
      'orders whose pair index is not 0':
        'select count(*) as rows from orders where pair_index is distinct from 0',
    },
  },
  blocks: {
    '0000_baseline': {
      refuse: { ...looks, work: 'takes the migrations’ lock, alone or not at all' },
      shape: looks,
      journal: {
        lock: 'SHARE ROW EXCLUSIVE on the journal (ACCESS EXCLUSIVE where it lacks a column), for some milliseconds',
        work: 'brings the journal into the shape of drizzle-kit 1.0; its trigger names the rows that have no name',
        tables: [],
        ...quick,
      },
      missing: {
        lock: 'none where nothing is missing; else ACCESS EXCLUSIVE on a table under 8 MB while its index is built',
        work: 'reads the catalog; adds a missing index or foreign key to a small table, refuses on a large one',
        tables: ['sessions', 'orders', 'fills'],
        locks: ['sessions', 'orders', 'fills'].map(
          (name): TableLock => ({ name, on: 'itself', mode: 'ACCESS EXCLUSIVE', may: true }),
        ),
        rewrite: 'no',
        isQuick: true,
      },
      owner: { ...looks, work: 'gives the schema multi_pair_db to the owner of the tables' },
    },
    '0001_multi_pair_support': {
      obstacles: {
        ...looks,
        work: 'reads the catalog; refuses child tables, and rules that would take the updates away',
      },
      older_pairs: {
        lock: batches,
        work: 'puts right what an older attempt has written into pairs; nothing where there was none',
        ...lockedAs('ROW EXCLUSIVE', ['sessions']),
      },
      backfill: {
        lock: `${batches}; about 20 ms each`,
        work: 'reads every session by its primary key and updates those that are not filled yet; commits each batch',
        ...lockedAs('ROW EXCLUSIVE', ['sessions']),
        rewrites: 'sessions',
      },
      give_back: {
        lock: batches,
        work: 'gives back what an earlier rollback has put aside; nothing where there was none',
        ...lockedAs('ROW EXCLUSIVE', ['sessions', 'orders']),
      },
      pair_index: {
        lock: batches,
        work: 'puts right the pair indexes of orders whose sessions have many pairs',
        ...lockedAs('ROW EXCLUSIVE', ['orders']),
      },
      put_aside: {
        lock: 'ACCESS SHARE, as any reader',
        work: 'copies what symbol can’t give back; reads both tables once',
        ...lockedAs('ACCESS SHARE', ['sessions', 'orders']),
      },
      report: looks,
    },
  },
};
