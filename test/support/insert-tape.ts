/**
 * A service of its own: inserts all fills of a tape, in shuffled batches, and prints the outcomes as JSON.
 * Runs as a child process: insert-tape.ts URL TAPE SEED
 */
import { drizzle } from 'drizzle-orm/postgres-js';
import postgres from 'postgres';
import { insertFills } from '../../src/queries/index.ts';
import { loadTape, shuffle, type TapeName } from './tape.ts';

async function main([url = '', tape = '', seed = '']: string[]): Promise<void> {
  const client = postgres(url, { max: 1, onnotice: () => {} });
  const db = drizzle({ client });
  const fills = shuffle(await loadTape(tape as TapeName), Number(seed));
  const outcomes = { inserted: 0, duplicate: 0, conflict: 0 };
  const ids: string[] = [];
  for (let start = 0; start < fills.length; ) {
    const batch = fills.slice(start, start + 100 + ((start * 7 + Number(seed)) % 1500));
    for (const { outcome, id } of await insertFills(db, batch)) {
      outcomes[outcome]++;
      if (outcome === 'inserted') ids.push(id);
    }
    start += batch.length;
  }
  await client.end();
  process.stdout.write(JSON.stringify({ outcomes, ids }));
}

await main(process.argv.slice(2));
