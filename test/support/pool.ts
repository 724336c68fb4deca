import pg from 'pg';

/**
 * A pool of node-postgres, to be closed by `closePool`. Connections that a test terminates are no matter: without listeners
 * they would end the process.
 */
export function createPool(url: string, max: number): pg.Pool {
  const pool = new pg.Pool({ connectionString: url, max });
  const closed: Promise<unknown>[] = [];
  pool.on('error', () => {});
  pool.on('connect', (client) => {
    client.on('error', () => {});
    closed.push(new Promise((resolve) => client.once('end', resolve)));
  });
  closing.set(pool, closed);
  return pool;
}

const closing = new WeakMap<pg.Pool, Promise<unknown>[]>();

/** `end` does not wait for the connections: a database that is dropped meanwhile would terminate them. */
export async function closePool(pool: pg.Pool): Promise<void> {
  await pool.end();
  await Promise.all(closing.get(pool) ?? []);
}
