import type { Write } from './ledger.ts';

/**
 * The rows that services write. Each is made from its id and a version, so that what is stored can be held against what
 * must be there without a copy of it.
 */
export interface Kind {
  readonly table: 'sessions' | 'orders' | 'fills';
  /** Its name in the ledger, with which its ids begin. */
  readonly prefix: string;
  /** The column that keeps the version: one that nothing else writes. */
  readonly versionColumn: string;
  /** Other columns, as they must be stored at a version. */
  readonly columns: (version: number) => Readonly<Record<string, string | number>>;
}

const statuses = ['open', 'PARTIALLY_FILLED', 'filled', 'cancelled'] as const;
const sides = ['buy', 'SELL'] as const;
const at = <T>(list: readonly [T, ...T[]], version: number): T => list[version % list.length] ?? list[0];

/** The pairs of a session with many: the first so many of these. */
export const allPairs = ['BTC/USD', 'ETH/USD', 'SOL/USD', 'XRP/USD', 'ADA/USD', 'DOT/USD'] as const;
export const pairOf = (version: number): string => at(allPairs, version);

const session = (version: number) => ({ status: at(statuses, version), budget: version % 1_000 });
const order = (version: number) => ({
  status: at(statuses, version),
  side: at(sides, version),
  price: (version % 10_000) / 2,
});
const fill = (version: number) => ({
  symbol: pairOf(version),
  side: at(sides, version),
  price: (version % 10_000) / 2,
  size: 0.5,
  tradeid: version,
});

const defineKind = (
  table: Kind['table'],
  prefix: string,
  versionColumn: string,
  columns: Kind['columns'],
): Kind => ({ table, prefix, versionColumn, columns });

/** What services of the old kind write, by plain SQL that knows one pair. */
export const oldSession = defineKind('sessions', 's.old.', 'sessionlength', (version) => ({
  ...session(version),
  symbol: pairOf(version),
}));
export const oldOrder = defineKind('orders', 'o.old.', 'lastupdated', order);
export const oldFill = defineKind('fills', 'f.old.', 'lastupdated', fill);
/** Sessions of the first hour, of which a service changes the status all the time. */
export const touchedSession = defineKind('sessions', 's.touch.', 'sessionlength', session);
/** What services of the new kind write, through the typed queries. */
export const newSession = defineKind('sessions', 's.new.', 'sessionlength', (version) => ({
  budget: version % 1_000,
}));
export const newOrder = defineKind('orders', 'o.new.', 'lastupdated', order);
export const newFill = defineKind('fills', 'f.new.', 'lastupdated', fill);

export const kinds: readonly Kind[] = [
  oldSession,
  oldOrder,
  oldFill,
  touchedSession,
  newSession,
  newOrder,
  newFill,
];

/** The ledger's kind for `sessions.pairs` of the new services: the version is the number of pairs. */
export const pairsKind = 'pairs';

/** A version of a row that is there. */
export const change = ({ prefix }: Kind, id: string, version: number): Write => ({
  kind: prefix,
  id,
  version,
});
/** A new row. */
export const add = (kind: Kind, version: number): Write => change(kind, `${kind.prefix}${version}`, version);

/** Ids of rows that services write, as a pattern of PostgreSQL: all others are those that were there before. */
export const serviceIds = '^[sof][.](old|new|touch)[.]';
