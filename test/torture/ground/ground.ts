import postgres, { type Sql } from 'postgres';
import { readLegacySchema } from '../../support/migrations.ts';
import { type ServerVersion, startServer, type TestServer } from '../../support/server.ts';
import { mountSmallDisk, type SmallDisk } from './disk.ts';
import { firstRows } from './rows.ts';

/** Where it all happens: a server, and a small disk under its database where that can be had. */
export interface Ground extends AsyncDisposable {
  readonly server: TestServer;
  readonly disk: SmallDisk | undefined;
  /** A database of its own with the live schema and the rows of the first hour; the one before goes. Its name. */
  renew(): Promise<string>;
}

export async function prepareGround(version: ServerVersion): Promise<Ground> {
  const disk = await mountSmallDisk();
  const server = await startServer(version, {
    // A server that others' restores and crashes have to come back to quickly; and plans as on a live one.
    checkpoint_timeout: '30s',
    log_lock_waits: 'on',
    deadlock_timeout: '1s',
  });
  if (disk !== undefined)
    await withSession(server.url('postgres'), (sql) =>
      sql.unsafe(`create tablespace small location '${disk.folder}'`),
    );
  // Made once: a copy of it takes a tenth of the time.
  await withSession(server.url('postgres'), (sql) => sql.unsafe('create database first_hour'));
  await withSession(server.url('first_hour'), async (sql) => {
    await sql.unsafe(await readLegacySchema());
    await sql.unsafe(firstRows);
  });
  let made = 0;
  return {
    server,
    disk,
    renew: async () => {
      const name = `trading_${++made}`;
      await withSession(server.url('postgres'), async (sql) => {
        if (made > 1) await sql.unsafe(`drop database trading_${made - 1} with (force)`);
        const place = disk === undefined ? '' : 'tablespace small';
        await sql.unsafe(`create database ${name} template first_hour ${place}`);
      });
      return name;
    },
    [Symbol.asyncDispose]: async () => {
      await server.destroy();
      await disk?.[Symbol.asyncDispose]();
    },
  };
}

/** One session for some statements. */
export async function withSession<T>(url: string, use: (sql: Sql) => Promise<T>): Promise<T> {
  const sql = postgres(url, { max: 1, onnotice: () => {}, connect_timeout: 10 });
  try {
    return await use(sql);
  } finally {
    await sql.end({ timeout: 2 });
  }
}
