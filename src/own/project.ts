import path from 'node:path';
import type { BackfillProgress, Project, StatementFacts } from '../migrate/project.ts';
import { ownMigrationsFolder } from './migrations-folder.ts';
import { rowRules } from './row-rules.ts';

const refuse: StatementFacts = {
  lock: 'ACCESS SHARE, as any reader',
  work: 'looks into the catalog and refuses what it does not expect',
  tables: [],
};
const session: StatementFacts = { lock: 'none', work: 'settings of this session only', tables: [] };
const handover: StatementFacts = { lock: 'none on tables', work: 'hands the migration lock on', tables: [] };
const catalog: StatementFacts = { lock: 'none on tables', work: 'reads the catalog', tables: [] };

const indexes = [
  'idx_fills_unique_dedup',
  'idx_orders_session_symbol',
  'idx_fills_session_symbol',
  'idx_fills_session_order_symbol',
  'idx_sessions_pair_count',
  'idx_sessions_pairs_gin',
  'idx_sessions_settlement_discovery',
  'idx_orders_symbol_status',
  'idx_fills_symbol_timestamp',
] as const;

const backfillNotice = /: pass (\d+), (\d+) of (\d+) sessions, (\d+) filled/;

function readBackfill(notice: string): BackfillProgress | undefined {
  const match = backfillNotice.exec(notice);
  if (match === null) return undefined;
  const [pass = 0, done = 0, total = 0, filled = 0] = match.slice(1).map(Number);
  return { pass, done, total, filled };
}

/** The three migrations of this package. */
export const ownProject: Project = {
  folder: ownMigrationsFolder,
  versions: { oldest: 15, newest: 18 },
  rowRules,
  migrations: {
    '0000_baseline': {
      blocks: {
        refuse,
        shape: catalog,
        missing: {
          lock: 'none where nothing is missing; else SHARE on a table under 8 MB while its index is built',
          work: 'reads the catalog; adds a missing index or foreign key to a small table, refuses on a large one',
          tables: ['sessions', 'orders', 'fills'],
        },
      },
    },
    '0001_multi_pair_support': {
      blocks: {
        refuse,
        settings: session,
        mend: {
          lock: 'ROW EXCLUSIVE, and the rows of one batch of 500; passes over rows that others hold',
          work: 'puts right what an older attempt has written into pairs; nothing where there was none',
          tables: ['sessions'],
        },
        columns: {
          lock: 'SHARE UPDATE EXCLUSIVE, then ACCESS EXCLUSIVE for some milliseconds, on one table after the other; waits 50 ms at most for the latter, then tries again (400 times)',
          work: 'adds columns with constant defaults and the trigger; rewrites and scans nothing',
          tables: ['sessions', 'orders'],
          exclusive: ['sessions', 'orders'],
        },
        backfill: {
          lock: 'ROW EXCLUSIVE, and the rows of one batch for about 20 ms; passes over rows that others hold',
          work: 'reads every session by its primary key and updates those that are not filled yet; commits each batch',
          tables: ['sessions'],
          rewrites: 'sessions',
        },
        restore: {
          lock: 'ROW EXCLUSIVE, and the rows of one batch of 500; passes over rows that others hold',
          work: 'gives back what an earlier rollback has put aside; nothing where there was none',
          tables: ['sessions', 'orders'],
        },
        handover,
        undo: {
          lock: 'none while values are put aside; then ACCESS EXCLUSIVE on both tables for one scan of each; waits 50 ms at most for it, then tries again (300 times)',
          work: 'puts aside what symbol can’t give back, then drops the columns',
          tables: ['sessions', 'orders'],
          exclusive: ['sessions', 'orders'],
        },
      },
      down: {
        file: path.join(ownMigrationsFolder, 'down', '0001_multi_pair_support.sql'),
        dataLoss:
          'the columns sessions.pairs, sessions.pair_count and orders.pair_index go. What symbol and tradingpair can’t give back is put aside in the tables multi_pair_undo_sessions and multi_pair_undo_orders, and a later migrate 001 gives it back',
      },
      presence: `select exists (
          select from pg_attribute
          where attrelid = to_regclass('sessions') and attname = 'pairs' and not attisdropped
        ) as present`,
      backlog: `select count(*) as "left"
        from sessions
        where pairs is null
          or (pairs = '[]' and coalesce(nullif(symbol, ''), nullif(tradingpair, '')) is not null)`,
      readProgress: readBackfill,
    },
    '0002_symbol_indexes': {
      blocks: {
        refuse,
        settings: session,
        set_aside: {
          lock: 'SHARE UPDATE EXCLUSIVE on an index that is INVALID or defined otherwise, for some milliseconds',
          work: 'renames it; a valid one serves until its successor stands',
          tables: [],
        },
        prove: catalog,
        handover,
      },
      down: { file: path.join(ownMigrationsFolder, 'down', '0002_symbol_indexes.sql') },
      presence: `select exists (
          select from unnest('{${indexes.join(',')}}'::text[]) as name
          where to_regclass(name) is not null or to_regclass(name || '__set_aside') is not null
            or to_regclass(name || '__broken') is not null
        ) as present`,
      indexes,
    },
  },
};
