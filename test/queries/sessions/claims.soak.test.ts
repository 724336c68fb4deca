import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { createDatabase } from '../../support/database.ts';
import { loadSessions } from '../../support/load.ts';
import { serverVersions } from '../../support/server.ts';
import { until } from '../../support/waiting.ts';

const worker = fileURLToPath(new URL('../../support/claim-worker.ts', import.meta.url));
/** One process, not a launcher and its child: what is killed is the worker itself. */
const startWorker = (url: string, kind: 'settle' | 'hang'): ChildProcess =>
  spawn(process.execPath, ['--import', 'tsx', worker, url, kind], { stdio: ['pipe', 'pipe', 'inherit'] });

/** Sessions that never started, or are not to be settled, are not among them. */
const loaded = 12_500;

test.each(serverVersions)(
  'PostgreSQL %i: eight processes claim 10,000 sessions, two of them killed with theirs in hand: none twice, none missed',
  async (version) => {
    await using database = await createDatabase(version, 'migrated');
    await loadSessions(database.sql, loaded, loaded);
    const expected = await database.sql<{ id: string }[]>`
      select id from sessions where settlesession and startedat is not null`;
    expect(expected.length).toBeGreaterThanOrEqual(10_000);

    const victims = [startWorker(database.url, 'hang'), startWorker(database.url, 'hang')];
    const reports = await Promise.all(
      victims.map(({ stdout }) => once(stdout as NodeJS.ReadableStream, 'data')),
    );
    const holders: { held: number; pid: number }[] = reports.map(([report]) => JSON.parse(String(report)));
    expect(holders).toMatchObject([{ held: 100 }, { held: 100 }]);
    const survivors = Array.from({ length: 6 }, () => startWorker(database.url, 'settle'));
    const outputs = survivors.map(({ stdout }) => text(stdout as NodeJS.ReadableStream));
    const attempted = async () =>
      (
        await database.sql`select count(*)::integer as count from sessions where lastsettleattempt is not null`
      )[0]?.['count'];
    await until(async () => (await attempted()) > 1000, 'the survivors are at work');
    for (const victim of victims) victim.kill('SIGKILL');
    const pids = holders.map(({ pid }) => pid);
    await until(
      async () => (await database.sql`select from pg_stat_activity where pid = any(${pids})`).length === 0,
      'the server has noticed',
    );
    for (const survivor of survivors) survivor.stdin?.write('the others have ended\n');

    const claimed = (await Promise.all(outputs)).flatMap((output): string[] => JSON.parse(output));
    expect(claimed.toSorted()).toEqual(expected.map(({ id }) => id).toSorted());
  },
);
