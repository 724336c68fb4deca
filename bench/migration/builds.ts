import postgres from 'postgres';
import { openConnection } from '../../src/connection/open.ts';
import { applyMigrations } from '../../src/own/index.ts';
import { type Benchmark, type Measurement, ms } from '../measure.ts';
import { rowCount, withLiveDatabases } from './live-database.ts';
import { measureUnderLoad } from './under-load.ts';
import { byEngine } from './ways.ts';

/** What a role may set, and what may change how hard a build hits disk and WAL. */
const settings: readonly Readonly<Record<string, string>>[] = [
  {},
  { max_parallel_maintenance_workers: '0' },
  { max_parallel_maintenance_workers: '0', maintenance_work_mem: '256MB' },
  { max_parallel_maintenance_workers: '0', maintenance_work_mem: '16MB' },
  { backend_flush_after: '256kB' },
];
/** Chance decides the longest wait of one run: each setting gets two, in turn. */
const rounds = 2;

/** What readers and writers wait while the nine indexes are built, by what the database sets for the builds. */
export const indexBuilds: Benchmark = {
  name: 'builds',
  onlyByName: true,
  measure: () =>
    withLiveDatabases(
      async (next) => {
        const measured: Measurement[] = [];
        for (let round = 1; round <= rounds; round++)
          for (const set of settings) measured.push(await measureBuilds(await next(), set));
        return measured;
      },
      { prepare: fillColumns },
    ),
};

async function fillColumns(url: string): Promise<void> {
  await using connection = await openConnection(url);
  await applyMigrations(connection, { upTo: '001', baselineMs: 0 });
  await connection.query('vacuum analyze');
}

async function measureBuilds(url: string, set: Readonly<Record<string, string>>): Promise<Measurement> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  const [row] = await sql`select current_database() as name`;
  for (const [name, value] of Object.entries(set))
    await sql`alter database ${sql(row?.['name'])} set ${sql(name)} = ${sql.unsafe(`'${value}'`)}`;
  await sql.end();
  const { idle, during, tookMs } = await measureUnderLoad(url, byEngine('migrate'));
  const names = Object.entries(set).map(([name, value]) => `${name} = ${value}`);
  return {
    what: `longest wait while nine indexes on ${rowCount.toLocaleString('en')} rows are built, ${names.join(', ') || 'as the server is set'}`,
    measured: ms(during.longestMs),
    goal: '',
    against: `p99.9 ${ms(during.p999Ms)}; idle ${ms(idle.p999Ms)}, longest ${ms(idle.longestMs)}; took ${(tookMs / 1_000).toFixed(1)} s`,
    ok: undefined,
  };
}
