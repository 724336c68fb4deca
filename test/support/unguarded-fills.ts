import type { PGlite } from '@electric-sql/pglite';
import type { Connection } from '../../src/connection/connection.ts';
import { connectEmbedded } from '../../src/connection/open.ts';
import { createPglite } from './pglite.ts';

/** What the tests say of a row of `fills`. */
export interface Row {
  readonly id: string;
  readonly sessionid: string | null;
  readonly orderid: string | null;
  readonly symbol: string | null;
  readonly side: string | null;
  readonly timestamp: number | null;
  readonly price: number | string | null;
  readonly size: number | null;
  readonly amount: number | null;
  readonly execid: string | null;
  readonly tradeid: number | null;
  readonly createdat: number | null;
}

/** One execution; of two that differ in nothing but their id the venue’s id proves nothing. */
export const fill = (id: string, rest: Partial<Row> = {}): Row => ({
  id,
  sessionid: 's1',
  orderid: 'o1',
  symbol: 'BTC/USD',
  side: 'buy',
  timestamp: 1000,
  price: 100,
  size: 1,
  amount: null,
  execid: null,
  tradeid: null,
  createdat: null,
  ...rest,
});

/** A migrated embedded database whose fills have no unique index, so that an execution may stand in it twice. */
export interface UnguardedFills extends AsyncDisposable {
  readonly live: PGlite;
  readonly connection: Connection;
  /** `CREATE UNIQUE INDEX idx_fills_unique_dedup …`, in the words of the migrated database. */
  readonly uniqueIndex: string;
  /** Takes the rows, the archive and the index away. */
  reset(): Promise<unknown>;
  /** Stores rows, and says which ids went in. */
  store(table: string, rows: readonly Row[]): Promise<Set<string>>;
  listIds(table: string): Promise<string[]>;
}

/** Has the sessions `s1`, `s2` and the orders `o1`, `o2`. */
export async function openUnguardedFills(): Promise<UnguardedFills> {
  const live = await createPglite('migrated');
  const { rows } = await live.query<{ definition: string }>(
    "select pg_get_indexdef('idx_fills_unique_dedup'::regclass) as definition",
  );
  await live.exec(`
    insert into sessions (id) values ('s1'), ('s2');
    insert into orders (id) values ('o1'), ('o2');`);
  return {
    live,
    connection: await connectEmbedded(live),
    uniqueIndex: rows[0]?.definition ?? '',
    reset: () =>
      live.exec(
        'drop index if exists idx_fills_unique_dedup; drop table if exists multi_pair_db.archived_fills; truncate fills',
      ),
    store: async (table, given) => {
      const columns =
        'id, sessionid, orderid, symbol, side, "timestamp", price, size, amount, execid, tradeid, createdat';
      const { rows: stored } = await live.query<{ id: string }>(
        `insert into ${table} (${columns})
         select ${columns} from jsonb_populate_recordset(null::fills, $1) with ordinality order by ordinality
         on conflict do nothing returning id`,
        [JSON.stringify(given)],
      );
      return new Set(stored.map(({ id }) => id));
    },
    listIds: async (table) => {
      const { rows: found } = await live.query<{ id: string }>(
        `select id from ${table} order by id collate "C"`,
      );
      return found.map(({ id }) => id);
    },
    [Symbol.asyncDispose]: () => live.close(),
  };
}
