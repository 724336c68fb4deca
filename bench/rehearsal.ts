import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openConnection } from '../src/connection/open.ts';
import { formatDuration } from '../src/connection/units.ts';
import { rehearse } from '../src/ops/rehearse/rehearse.ts';
import { applyMigrations } from '../src/own/index.ts';
import { findPrograms } from '../test/support/client-programs.ts';
import type { Benchmark, Measurement } from './measure.ts';
import { withLiveDatabases } from './migration/live-database.ts';

const sizes = [30_000, 100_000, 300_000];
const goal = 0.3;

/** How long a rehearsal says that the files will take, against how long they then take on the live database. */
export const rehearsal: Benchmark = {
  name: 'rehearsal',
  measure: async () => {
    const programs = findPrograms(18);
    if (programs === undefined) throw new Error('no pg_dump 18 on this machine');
    process.env['PG_BIN'] = programs;
    const folder = await mkdtemp(path.join(tmpdir(), 'multi-pair-db-bench-'));
    try {
      const measurements: Measurement[] = [];
      for (const rows of sizes) {
        measurements.push(
          await withLiveDatabases(async (next) => compare(await next(), rows, folder), { rows }),
        );
      }
      return measurements;
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

async function compare(url: string, rows: number, folder: string): Promise<Measurement> {
  const { rehearsal, estimatedMs } = await rehearse(url, { folder });
  const rehearsedMs = rehearsal.files.reduce((sum, { durationMs }) => sum + durationMs, 0);
  await using connection = await openConnection(url);
  const { applied } = await applyMigrations(connection);
  const tookMs = applied.reduce((sum, { durationMs }) => sum + durationMs, 0);
  const off = (rehearsedMs - tookMs) / tookMs;
  return {
    what: `rehearsed / real, ${rows.toLocaleString('en')} sessions and as many fills`,
    measured: `${off < 0 ? '' : '+'}${(100 * off).toFixed(0)} %`,
    goal: `± ${100 * goal} %`,
    against: `rehearsed ${formatDuration(rehearsedMs)}, real ${formatDuration(tookMs)}; estimated without a rehearsal ${formatDuration(estimatedMs)}`,
    ok: Math.abs(off) <= goal,
  };
}
