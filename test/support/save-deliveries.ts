/**
 * A service of its own: saves the deliveries of a seed, cut into calls of many sizes, and prints the outcomes as JSON.
 * Runs as a child process: save-deliveries.ts URL ORDERS VERSIONS SEED
 */
import { drizzle } from 'drizzle-orm/postgres-js';
import postgres from 'postgres';
import { type Database, type SavedRow, saveOrders } from '../../src/queries/index.ts';
import { deliveriesOf } from './order-versions.ts';

/** Saves them, and counts what became of each. */
export async function saveDeliveries(
  db: Database,
  orders: number,
  versions: number,
  seed: number,
): Promise<Record<SavedRow['outcome'], number>> {
  const outcomes = { inserted: 0, updated: 0, unchanged: 0, stale: 0 };
  const deliveries = deliveriesOf(orders, versions, seed);
  for (let start = 0; start < deliveries.length; ) {
    const rows = deliveries.slice(start, start + 1 + ((start * 7 + seed) % 700));
    for (const { outcome } of await saveOrders(db, rows)) outcomes[outcome]++;
    start += rows.length;
  }
  return outcomes;
}

async function main([url = '', ...numbers]: string[]): Promise<void> {
  const client = postgres(url, { max: 1, onnotice: () => {} });
  const [orders = 0, versions = 0, seed = 0] = numbers.map(Number);
  const outcomes = await saveDeliveries(drizzle(client), orders, versions, seed);
  await client.end();
  process.stdout.write(JSON.stringify(outcomes));
}

if (process.argv[1] === import.meta.filename) await main(process.argv.slice(2));
