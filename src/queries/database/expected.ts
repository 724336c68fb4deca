/** Made from drizzle/catalog.json and the journal by `npm run catalog`. */

/** The triggers that keep what a service does not say. They are always enabled. */
export const expectedTriggers: readonly { readonly table: string; readonly name: string }[] = [
  { table: 'orders', name: 'trg_orders_set_pair_index' },
  { table: 'sessions', name: 'trg_sessions_renumber_orders' },
  { table: 'sessions', name: 'trg_sessions_sync_pairs' },
];

/** What the journal has a row of. */
export const expectedMigrations: readonly { readonly tag: string; readonly createdAtMs: number }[] = [
  { tag: '0000_baseline', createdAtMs: 1795392593000 },
  { tag: '0001_multi_pair_support', createdAtMs: 1795392594000 },
  { tag: '0002_symbol_indexes', createdAtMs: 1795392595000 },
];
