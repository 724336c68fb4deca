import { stat, statfs } from 'node:fs/promises';
import type { Connection } from '../../connection/connection.ts';
import { formatBytes } from '../../connection/units.ts';
import type { DescribedPlan } from '../plan/describe.ts';
import type { Check } from './check.ts';

/** An estimate from statistics may be off by half. */
const margin = 1.5;

export const diskSpace: Check = {
  id: 'disk-space',
  why: 'a full disk stops the server; builds and backfill write new pages, and as much again to the write-ahead log',
  look: async ({ connection, plan }) => {
    if (plan === undefined)
      return { level: 'skipped', found: 'not estimated: the history has to be repaired first' };
    const { details, neededBytes } = addUp(plan);
    const space = await readFreeSpace(connection);
    const needed = `about ${formatBytes(neededBytes)} needed`;
    if (space === undefined) {
      return {
        level: 'skipped',
        found: `${needed}; how much is free can’t be seen from here`,
        details,
        advice: 'Compare it with `df` on the server, where data and pg_wal are.',
      };
    }
    const found = `${needed}, ${formatBytes(space.freeBytes)} free in ${space.directory}`;
    if (space.freeBytes >= neededBytes * margin) return { level: 'ok', found, details };
    return {
      level: space.freeBytes < neededBytes ? 'blocker' : 'warning',
      found,
      details,
      advice: 'Free space on the server, or grow its volume.',
    };
  },
};

/** By file: what the tables and indexes grow by, and what is written to the log. */
function addUp({ diskBytes, walBytes, tables }: DescribedPlan): { details: string[]; neededBytes: number } {
  const sizes = Object.entries(diskBytes)
    .map(([tag, bytes]) => ({ tag, bytes, walBytes: walBytes[tag] ?? bytes }))
    .filter((size) => size.bytes + size.walBytes > 0);
  const logged = tables.filter(({ oldRowBytes }) => oldRowBytes > 0);
  return {
    neededBytes: sizes.reduce((sum, size) => sum + size.bytes + size.walBytes, 0),
    details: [
      ...sizes.map(
        (size) =>
          `${size.tag}: about ${formatBytes(size.bytes)}, and ${size.walBytes === size.bytes ? 'the same' : formatBytes(size.walBytes)} of WAL`,
      ),
      ...logged.map(
        ({ table }) =>
          `${table} has REPLICA IDENTITY FULL under wal_level logical: each update logs the whole old row`,
      ),
    ],
  };
}

interface Space {
  readonly directory: string;
  readonly freeBytes: number;
}

/**
 * PostgreSQL does not tell what is free, so it is known only where the server's data directory is one of this machine.
 * That they are the same one is proven by the time of its last change: behind a forwarded port there may be another.
 */
async function readFreeSpace(connection: Connection): Promise<Space | undefined> {
  const [role] = await connection.query<{ mayLook: boolean }>(
    `select pg_has_role('pg_read_all_settings', 'usage')
            and has_function_privilege('pg_stat_file(text)', 'execute') as "mayLook"`,
  );
  if (role?.mayLook !== true) return undefined;
  const [server] = await connection.query<{ directory: string; changedAtMs: number }>(
    `select current_setting('data_directory') as directory,
            floor(extract(epoch from modification))::float8 * 1000 as "changedAtMs"
     from pg_stat_file('.')`,
  );
  if (server === undefined) return undefined;
  try {
    const [entry, disk] = await Promise.all([stat(server.directory), statfs(server.directory)]);
    const isSame = Math.floor(entry.mtimeMs / 1000) * 1000 === server.changedAtMs;
    return isSame ? { directory: server.directory, freeBytes: disk.bavail * disk.bsize } : undefined;
  } catch {
    // Not there, or not ours to look into: the server is on another machine, or in a container.
    return undefined;
  }
}
