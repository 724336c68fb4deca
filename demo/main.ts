import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { PGlite } from '@electric-sql/pglite';
import { drizzle } from 'drizzle-orm/pglite';
import { migrate } from 'drizzle-orm/pglite/migrator';
import { migrationsFolder, migrationsSchema, migrationsTable } from '../src/own/migrations.ts';
import { buildLiveDatabase } from './live-database.ts';
import { proveMigration } from './proof.ts';
import { askQuestions, openMultiPairSessions } from './questions.ts';
import { loadTrades } from './trades.ts';

const project = fileURLToPath(new URL('..', import.meta.url));
const folder = path.join(project, '.pglite', 'demo');
const TRADES = 20_000;

const print = (line = '') => process.stdout.write(`${line}\n`);
const started = performance.now();
const elapsed = () => `${((performance.now() - started) / 1000).toFixed(1)} s`;

// The folder is the demo's own: every run makes it anew.
await rm(folder, { recursive: true, force: true });
await mkdir(path.dirname(folder), { recursive: true });
const client = await PGlite.create(folder);
const db = drizzle(client);
const nowMs = Date.now();

print('1. The single-pair database, embedded in .pglite/demo');
const { source, trades } = await loadTrades(TRADES);
await buildLiveDatabase(client, trades, nowMs);
for (const table of ['sessions', 'orders', 'fills']) {
  const { rows } = await client.query<{ count: number }>(`select count(*)::int as count from ${table}`);
  print(
    `   ${table.padEnd(10)}${String(rows[0]?.count).padStart(7)}${table === 'fills' ? `  (${source})` : ''}`,
  );
}

print(`\n2. Migrated with the files in drizzle/ (${elapsed()} so far)`);
await migrate(db, { migrationsFolder, migrationsSchema, migrationsTable });

print(`\n3. Proven in the database (${elapsed()} so far)`);
const proofs = await proveMigration(client);
for (const { what, found, holds } of proofs) print(`   ${holds ? 'ok  ' : 'FAIL'}  ${what}: ${found}`);

print('\n4. Trading goes on, with many pairs a session');
print(`   ${await openMultiPairSessions(db, nowMs)} sessions opened, of two or three pairs each`);

for (const { question, answer } of await askQuestions(db)) {
  print(`\n${question}`);
  for (const line of answer) print(`   ${line}`);
}

await client.close();
print(`\nDone in ${elapsed()}.`);
if (proofs.some((proof) => !proof.holds)) process.exitCode = 1;
