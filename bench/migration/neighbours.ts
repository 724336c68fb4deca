import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import postgres from 'postgres';
import { findPrograms } from '../../test/support/client-programs.ts';
import { readLegacySchema } from '../../test/support/migrations.ts';

/** What others do beside a migration: goes on until the signal aborts, and says then what it has done. */
export type Neighbour = (url: string, until: AbortSignal) => Promise<string>;

/** So many starts that met a build are a long deploy. Without an end no build would: each takes longer than two seconds. */
const startsBehindBuilds = 10;
const startGapMs = 2_000;
/** A start that meets no build takes 20 to 60 ms. */
const metAfterMs = 100;

/**
 * A service starts every two seconds, and runs its DDL as services do: all of it, for whatever is not there. Ends when so many
 * have met a build, whose table they want to lock against writers.
 */
export const startingServices: Neighbour = async (url, until) => {
  const statements = (await readLegacySchema())
    .replace(/--.*$/gm, '')
    .replace(/^create (table|(?:unique )?index) /gim, 'create $1 if not exists ')
    .split(';')
    .filter((statement) => /^\s*create (table|(unique )?index)/i.test(statement));
  if (statements.length < 20) throw new Error('the live schema reads otherwise than expected');
  let starts = 0;
  let met = 0;
  let longestMs = 0;
  while (!until.aborted && met < startsBehindBuilds) {
    const sql = postgres(url, { max: 1, onnotice: () => {} });
    const start = performance.now();
    for (const statement of statements) await sql.unsafe(statement);
    const tookMs = performance.now() - start;
    longestMs = Math.max(longestMs, tookMs);
    starts++;
    if (tookMs > metAfterMs) met++;
    await sql.end();
    await rest(startGapMs, until);
  }
  return `${starts} starts, ${met} behind a build, the slowest took ${(longestMs / 1_000).toFixed(1)} s`;
};

/**
 * Between two reports, and two dumps. Each locks the tables against new columns for as long as it takes, so without a gap the
 * migration would never begin; and then reports and dumps come all the time, as long as it works.
 */
const reportGapMs = 2_000;
const dumpGapMs = 5_000;

const rest = (gapMs: number, until: AbortSignal): Promise<void> =>
  sleep(gapMs, undefined, { signal: until }).catch(() => {});

/** A report that reads all fills and sessions, again and again. */
export const reports: Neighbour = async (url, until) => {
  const sql = postgres(url, { max: 1 });
  let count = 0;
  for (; !until.aborted; count++) {
    await sql`
      select s.symbol, count(*), sum(f.price::numeric * f.size::numeric)
      from fills as f join sessions as s on s.id = f.sessionid
      group by s.symbol`;
    await rest(reportGapMs, until);
  }
  await sql.end();
  return `${count} reports`;
};

/** Dumps of the whole database, one after the other. */
export const dumps: Neighbour = async (url, until) => {
  const programs = findPrograms(18);
  if (programs === undefined) return 'no pg_dump 18 on this machine: no dump';
  let count = 0;
  for (; !until.aborted; count++) {
    const dump = spawn(path.join(programs, 'pg_dump'), ['--format=custom', '--compress=1', url], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const [code] = await once(dump, 'exit');
    if (code !== 0) throw new Error(`pg_dump has ended with ${code}`);
    await rest(dumpGapMs, until);
  }
  return `${count} dumps`;
};
