/**
 * A settlement service of its own. Runs as a child process: claim-worker.ts URL settle|hang
 *
 * `settle` claims and commits until nothing is left, then waits for a line on its input (the others have ended), looks
 * once more, and prints the ids as JSON. `hang` claims once, prints how many and on which server process, and never commits.
 */
import { once } from 'node:events';
import { sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/postgres-js';
import postgres from 'postgres';
import { claimSessionsToSettle } from '../../src/queries/index.ts';

const options = { startedAfterMs: 0, limit: 100 };

async function main([url = '', kind]: string[]): Promise<void> {
  const client = postgres(url, { max: 1, onnotice: () => {} });
  const db = drizzle({ client });
  if (kind === 'hang') {
    await db.transaction(async (tx) => {
      const held = await claimSessionsToSettle(tx, options);
      const [session] = await tx.execute<{ pid: number }>(sql`select pg_backend_pid() as pid`);
      process.stdout.write(JSON.stringify({ held: held.length, pid: session?.pid }));
      await new Promise(() => {});
    });
  }
  const othersEnded = once(process.stdin, 'data');
  const claimed: string[] = [];
  for (let isLast = false; ; ) {
    const rows = await db.transaction((tx) => claimSessionsToSettle(tx, options));
    claimed.push(...rows.map(({ id }) => id));
    if (rows.length > 0) continue;
    if (isLast) break;
    await othersEnded;
    isLast = true;
  }
  await client.end();
  process.stdin.destroy();
  process.stdout.write(JSON.stringify(claimed));
}

await main(process.argv.slice(2));
