import { nameFolder } from '../../src/migrate/history/folder-name.ts';
import { fillIdentityKeys } from '../../src/schema/fill-identity.ts';
import { lastTag, migrationOf, tags } from './facts.ts';

/** One way in which a migrated database may differ from what the package says, and what verify has to say about it. */
export interface Damage {
  readonly name: string;
  /** Statements, one by one (some cannot share a transaction). */
  readonly by: readonly string[];
  readonly level?: 'note';
  readonly object: string;
  readonly expected: string;
  readonly found: string;
  /** How the report says it is repaired; the test does so. */
  readonly repair: RegExp;
  /** What takes away the rest, where there is nothing to repair, or more than what was repaired. */
  readonly undo?: string;
}

const recorded = 'multi_pair_db.migrations';
const edited = migrationOf('001');
const last = migrationOf(lastTag);
/** The number of the row after the last. */
const nextRow = tags.length + 1;
const index = 'idx_sessions_pairs_gin';
const check = 'sessions_pairs_is_array_of_strings';
const trigger = 'trg_sessions_sync_pairs';
const rerun0000 = /^psql .*0000_baseline\.sql$/;
const rerun0001 = /^psql .*0001_multi_pair_support\.sql$/;

const columns: readonly Damage[] = [
  {
    name: 'a column of another type',
    by: ['alter table sessions alter column budget type double precision'],
    object: 'column sessions.budget',
    expected: 'real',
    found: 'double precision',
    repair: /^alter table sessions alter column budget type real -- may rewrite/,
  },
  {
    name: 'another default',
    by: [`alter table sessions alter column pairs set default '["BTC/USD"]'`],
    object: 'column sessions.pairs',
    expected: "default '[]'::jsonb",
    found: `default '["BTC/USD"]'::jsonb`,
    repair: /set default '\[\]'::jsonb$/,
  },
  {
    name: 'a default where there is none',
    by: ['alter table orders alter column fee set default 0'],
    object: 'column orders.fee',
    expected: 'default none',
    found: 'default 0',
    repair: /drop default$/,
  },
  {
    name: 'NOT NULL',
    by: ['alter table orders alter column pair_index set not null'],
    object: 'column orders.pair_index',
    expected: 'null allowed',
    found: 'not null',
    repair: /drop not null$/,
  },
  {
    name: 'a column dropped',
    by: ['alter table fills drop column quantity'],
    object: 'column fills.quantity',
    expected: 'real',
    found: 'missing',
    repair: /^alter table fills add column quantity real -- its values/,
  },
  {
    name: 'another comment',
    by: [`comment on column sessions.pairs is 'what it''s about'`],
    level: 'note',
    object: 'column sessions.pairs',
    expected:
      'comment Pairs the session trades: an array of strings. Filled from symbol, else tradingpair, where a service leaves it empty.',
    found: "comment what it's about",
    repair: /^comment on column sessions\.pairs is 'Pairs/,
  },
  {
    name: 'a column of others that must be given',
    by: ['alter table fills add column not_ours text not null'],
    object: 'column fills.not_ours',
    expected: 'nothing of this name',
    found: 'text, not null',
    repair: /drop not null --/,
    undo: 'alter table fills drop column not_ours',
  },
  {
    name: 'a column of others that may be left out',
    by: ['alter table fills add column not_ours text'],
    level: 'note',
    object: 'column fills.not_ours',
    expected: 'nothing of this name',
    found: 'text',
    repair: /^nothing to do/,
    undo: 'alter table fills drop column not_ours',
  },
];

const constraints: readonly Damage[] = [
  {
    name: 'the check dropped',
    by: [`alter table sessions drop constraint ${check}`],
    object: `constraint ${check} on sessions`,
    expected: `CHECK (((jsonb_typeof(pairs) = 'array'::text) AND (NOT jsonb_path_exists(pairs, 'strict $[*]?(@.type() != "string")'::jsonpath, '{}'::jsonb, true))))`,
    found: 'missing',
    repair: /add constraint .* not valid; alter table sessions validate constraint/,
  },
  {
    name: 'the check defined otherwise',
    by: [
      `alter table sessions drop constraint ${check}`,
      `alter table sessions add constraint ${check} check (pairs is not null)`,
    ],
    object: `constraint ${check} on sessions`,
    expected: `CHECK (((jsonb_typeof(pairs) = 'array'::text) AND (NOT jsonb_path_exists(pairs, 'strict $[*]?(@.type() != "string")'::jsonpath, '{}'::jsonb, true))))`,
    found: 'CHECK ((pairs IS NOT NULL))',
    repair: /drop constraint .* add constraint .* validate/,
  },
  {
    name: 'a foreign key not validated',
    by: [
      'alter table fills drop constraint fk_fills_orderid',
      'alter table fills add constraint fk_fills_orderid foreign key (orderid) references orders (id) not valid',
    ],
    object: 'constraint fk_fills_orderid on fills',
    expected: 'valid',
    found: 'INVALID',
    repair: /^alter table fills validate constraint fk_fills_orderid$/,
  },
  {
    name: 'a foreign key of another name',
    by: ['alter table orders rename constraint fk_orders_sessionid to orders_sessionid_fkey'],
    object: 'constraint fk_orders_sessionid on orders',
    expected: 'FOREIGN KEY (sessionid) REFERENCES sessions(id)',
    found: 'missing; orders_sessionid_fkey is the same under another name',
    repair: /rename constraint orders_sessionid_fkey to fk_orders_sessionid$/,
  },
  {
    name: 'a primary key of another name',
    by: ['alter table orders rename constraint orders_pkey to "PK"'],
    level: 'note',
    object: 'constraint orders_pkey on orders',
    expected: 'PRIMARY KEY (id)',
    found: 'missing; PK is the same under another name',
    repair: /rename constraint "PK" to orders_pkey$/,
  },
  {
    name: 'a constraint of others',
    by: ['alter table fills add constraint positive check (price > 0)'],
    object: 'constraint positive on fills',
    expected: 'nothing of this name',
    found: 'CHECK ((price > (0)::double precision))',
    repair: /drop constraint positive --/,
  },
];

const indexes: readonly Damage[] = [
  {
    name: 'an index dropped',
    by: [`drop index ${index}`],
    object: `index ${index}`,
    expected: 'gin (pairs)',
    found: 'missing',
    repair: /^create index concurrently idx_sessions_pairs_gin on sessions using gin \(pairs\)$/,
  },
  {
    name: 'the partial GIN index of an older attempt',
    by: [`drop index ${index}`, `create index ${index} on sessions using gin (pairs) where pairs <> '[]'`],
    object: `index ${index}`,
    expected: 'gin (pairs)',
    found: "gin (pairs) WHERE (pairs <> '[]'::jsonb)",
    repair: /^create index concurrently .*__new .*; drop index concurrently .*; alter index .* rename to /,
  },
  {
    name: 'a unique index that is not unique',
    by: [
      `create index other on fills (${fillIdentityKeys.join(', ')})`,
      'drop index idx_fills_unique_dedup',
      'alter index other rename to idx_fills_unique_dedup',
    ],
    object: 'index idx_fills_unique_dedup',
    expected: 'unique',
    found: 'not unique',
    repair: /^create unique index concurrently/,
  },
  {
    name: 'an index of another name',
    by: [`alter index ${index} rename to gin_pairs`],
    object: `index ${index}`,
    expected: 'gin (pairs)',
    found: 'missing; gin_pairs is the same under another name',
    repair: /^alter index gin_pairs rename to idx_sessions_pairs_gin$/,
  },
  {
    name: 'an index of others',
    by: ['create index mine on fills (createdat)'],
    level: 'note',
    object: 'index mine',
    expected: 'nothing of this name',
    found: 'btree (createdat)',
    repair: /^nothing to do/,
    undo: 'drop index mine',
  },
  {
    name: 'an index that a run which broke off has set aside',
    by: ['create index idx_orders_symbol_status__set_aside on orders (symbol)'],
    level: 'note',
    object: 'index idx_orders_symbol_status__set_aside',
    expected: 'nothing of this name',
    found: 'btree (symbol)',
    repair: /^drop index concurrently idx_orders_symbol_status__set_aside -- set aside/,
  },
  {
    name: 'a unique index of others',
    by: ['create unique index mine on fills (exchangeorderid)'],
    object: 'index mine',
    expected: 'nothing of this name',
    found: 'btree (exchangeorderid), unique',
    repair: /^drop index concurrently mine --/,
  },
];

const triggers: readonly Damage[] = [
  {
    name: 'the trigger dropped',
    by: [`drop trigger ${trigger} on sessions`],
    object: `trigger ${trigger} on sessions`,
    expected: `CREATE TRIGGER ${trigger} BEFORE INSERT OR UPDATE OF symbol, tradingpair, pairs, pair_count FOR EACH ROW EXECUTE FUNCTION multi_pair_db.sessions_sync_pairs()`,
    found: 'missing',
    repair: rerun0001,
  },
  {
    name: 'the trigger disabled',
    by: [`alter table sessions disable trigger ${trigger}`],
    object: `trigger ${trigger} on sessions`,
    expected: 'fires always',
    found: 'fires never: disabled',
    repair: /^alter table sessions enable always trigger trg_sessions_sync_pairs$/,
  },
  {
    name: 'the trigger defined otherwise',
    by: [
      `create or replace trigger ${trigger} before insert on sessions for each row execute function multi_pair_db.sessions_sync_pairs()`,
    ],
    object: `trigger ${trigger} on sessions`,
    expected: `CREATE TRIGGER ${trigger} BEFORE INSERT OR UPDATE OF symbol, tradingpair, pairs, pair_count FOR EACH ROW EXECUTE FUNCTION multi_pair_db.sessions_sync_pairs(); fires always`,
    found: `CREATE TRIGGER ${trigger} BEFORE INSERT FOR EACH ROW EXECUTE FUNCTION multi_pair_db.sessions_sync_pairs(); fires always but in replication`,
    repair: rerun0001,
  },
  {
    name: 'the body of its function changed',
    by: [
      `do $do$ begin execute replace(pg_get_functiondef('multi_pair_db.sessions_sync_pairs'::regproc), 'return new;', 'return null;'); end $do$`,
    ],
    object: `trigger ${trigger} on sessions`,
    expected: 'line 12 of the body: return new;',
    found: 'line 12 of the body: return null;',
    repair: rerun0001,
  },
  {
    name: 'the search path of its function changed',
    by: ['alter function multi_pair_db.sessions_sync_pairs() set search_path = pg_temp'],
    object: `trigger ${trigger} on sessions`,
    expected: 'settings none',
    found: 'settings search_path=pg_temp',
    repair: rerun0001,
  },
  {
    name: 'a trigger of others',
    by: [
      'create trigger audit after insert on fills for each row execute function suppress_redundant_updates_trigger()',
    ],
    level: 'note',
    object: 'trigger audit on fills',
    expected: 'nothing of this name',
    found:
      'CREATE TRIGGER audit AFTER INSERT FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()',
    repair: /^nothing to do/,
    undo: 'drop trigger audit on fills',
  },
];

/** Rows come into this state while the trigger is away, or by an older attempt. */
const behindTheTrigger = (...statements: string[]): string[] => [
  `alter table sessions disable trigger ${trigger}`,
  ...statements,
  `alter table sessions enable always trigger ${trigger}`,
];

const rows: readonly Damage[] = [
  {
    name: 'one pair that is another than the symbol',
    by: behindTheTrigger(
      `insert into sessions (id, symbol, pairs, pair_count) values ('a', 'A/B', '["C/D"]', 1), ('b', null, '["C/D"]', 1)`,
    ),
    object: 'rows of sessions.pairs',
    expected: 'the symbol or the tradingpair, where it is one pair',
    found: '1 of 2 sessions with one pair that is neither their symbol nor their tradingpair',
    repair: /^select id from sessions where .* -- make each of them/s,
    undo: 'delete from sessions',
  },
  {
    name: 'an order at another position than its symbol in the pairs of its session',
    by: [
      `insert into sessions (id, pairs) values ('a', '["A/B", "C/D"]')`,
      'alter table orders disable trigger trg_orders_set_pair_index',
      `insert into orders (id, sessionid, symbol, pair_index) values ('1', 'a', 'C/D', 0), ('2', 'a', 'A/B', 0), ('3', 'a', 'X', 7)`,
      'alter table orders enable always trigger trg_orders_set_pair_index',
    ],
    object: 'rows of orders.pair_index',
    expected: 'the position of their symbol in the pairs of their session',
    found: '1 of 3 orders with another position',
    repair: rerun0001,
    undo: 'delete from orders; delete from sessions',
  },
  {
    name: 'a wrong pair_count',
    by: behindTheTrigger(
      `insert into sessions (id, pairs, pair_count) values ('a', '["A/B", "C/D"]', 1), ('b', '["A/B"]', 1)`,
    ),
    object: 'rows of sessions.pair_count',
    expected: 'the length of pairs',
    found: '1 of 2 sessions with another number',
    repair: rerun0001,
    undo: 'delete from sessions',
  },
  {
    name: 'a symbol and no pairs',
    by: behindTheTrigger(
      `insert into sessions (id, symbol, tradingpair) values ('a', 'A/B', null), ('b', '', 'C/D'), ('c', '', null)`,
    ),
    object: 'rows of sessions.pairs',
    expected: 'the symbol (else the tradingpair) in pairs, where a session has one',
    found: '2 of 3 sessions with a symbol or tradingpair, and no pairs',
    repair: rerun0001,
    undo: 'delete from sessions',
  },
];

const journal: readonly Damage[] = [
  {
    name: 'a migration not recorded',
    by: [`delete from ${recorded} where created_at = ${last.createdAtMs}`],
    object: `journal row of ${last.tag}`,
    expected: 'recorded as applied',
    found: 'not recorded',
    repair: new RegExp(`^multi-pair-db migrate ${last.tag.slice(1, 4)}$`),
    undo: `insert into ${recorded} (id, hash, created_at, name)
           values (${tags.length}, '${last.hash}', ${last.createdAtMs}, '${nameFolder(last)}')`,
  },
  {
    name: 'a migration applied from another file',
    by: [`update ${recorded} set hash = 'f00' where created_at = ${edited.createdAtMs}`],
    object: 'journal',
    expected: 'one row for each file, written from that file',
    found: `${edited.file} is not what was applied: its sha256 is ${edited.hash.slice(0, 12)}…, recorded is f00…`,
    repair: /^Restore the file as it was applied/,
    undo: `update ${recorded} set hash = '${edited.hash}' where hash = 'f00'`,
  },
  {
    name: 'a migration that this release does not know',
    by: [
      `insert into ${recorded} (id, hash, created_at, name) values (${nextRow}, 'f00', 1895392594478, 'f00')`,
    ],
    object: 'journal',
    expected: 'one row for each file, written from that file',
    found: `${recorded} has a row (id ${nextRow}, created_at 1895392594478) that belongs to no file of this folder`,
    repair: /^Check that this is the right database/,
    undo: `delete from ${recorded} where hash = 'f00'`,
  },
  {
    name: 'a row that drizzle-kit 1.0 does not know',
    by: [`update ${recorded} set name = null where created_at = ${last.createdAtMs}`],
    object: `journal row of ${last.tag}`,
    expected: 'named as drizzle-kit 1.0 names it',
    found: 'no name: drizzle-kit 1.0 would run the file again',
    repair: /^multi-pair-db migrate$/,
    undo: `update ${recorded} set name = '${nameFolder(last)}' where name is null`,
  },
  {
    name: 'the trigger of the journal disabled',
    by: [`alter table ${recorded} disable trigger trg_migrations_keep_journal`],
    object: 'procedure multi_pair_db.keep_journal()',
    expected: 'fires trg_migrations_keep_journal on migrations BEFORE INSERT FOR EACH ROW',
    found: 'fires trg_migrations_keep_journal on migrations BEFORE INSERT FOR EACH ROW, never: disabled',
    repair: rerun0000,
  },
  {
    name: 'a column of the journal dropped',
    by: [`alter table ${recorded} drop column applied_at`],
    object: 'procedure multi_pair_db.keep_journal()',
    expected: 'columns applied_at, created_at, hash, id, name',
    found: 'columns created_at, hash, id, name',
    repair: rerun0000,
  },
];

export const damages: readonly Damage[] = [
  ...columns,
  ...constraints,
  ...indexes,
  ...triggers,
  ...rows,
  ...journal,
];
