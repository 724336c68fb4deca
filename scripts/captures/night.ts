import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import postgres from 'postgres';
import type { TestServer } from '../../test/support/server.ts';
import { type Row, readScreen } from './screen.ts';
import { type Answer, record } from './terminal.ts';
import { createLiveDatabase, startTrading, urlOf } from './trading.ts';

/** A command, and what one sees after it. */
export interface Screen {
  /** As it was typed. */
  readonly command: string;
  readonly rows: readonly Row[];
}

export interface Night {
  /** By the names of their pictures, in the order of the night. */
  readonly screens: ReadonlyMap<string, Screen>;
  /** The page that the migration has left. */
  readonly page: string;
}

/** Takes a live database through the night, in a terminal of that width, with trades beside it. */
export async function spendNight(server: TestServer, columns: number): Promise<Night> {
  const home = await mkdtemp(path.join(tmpdir(), 'multi-pair-db-captures-'));
  const url = urlOf(server, 'migrator');
  const screens = new Map<string, Screen>();
  const run = async (words: readonly string[], answer?: Answer): Promise<string> =>
    (await record(words, { columns, folder: home, url, ...(answer && { answer }) })).bytes;
  const keep = (name: string, words: readonly string[], bytes: string): void => {
    const command = `npx multi-pair-db ${words.join(' ')}`;
    screens.set(name, { command, rows: readScreen(bytes, columns) });
  };
  const capture = async (name: string, words: readonly string[]): Promise<void> =>
    keep(name, words, await run(words));

  try {
    await createLiveDatabase(server);
    await withForgottenTransaction(server, async () => {
      await capture('preflight', ['preflight']);
      await capture('refusal', ['migrate', '--yes', '--max-wait', '3']);
    });
    await createLiveDatabase(server);
    await using _trading = await startTrading(server);
    await capture('status-before', ['status']);
    await capture('dry-run', ['migrate', '--dry-run']);
    const migrated = await run(['migrate'], { to: /type the name/, with: 'trading' });
    keep('on-the-way', ['migrate'], cutAfter(migrated, /index 5 of \d+[^\r]*/));
    keep('migrate', ['migrate'], migrated);
    await capture('status', ['status']);
    await capture('verify', ['verify', '--smoke']);
    await capture('indexes', ['indexes']);
    await capture('rollback', ['rollback', '002', '--dry-run']);
    return { screens, page: await readPage(path.join(home, 'reports'), /^migrate-.*\.html$/) };
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

/** What the terminal was told up to and with what is looked for. */
function cutAfter(bytes: string, moment: RegExp): string {
  const found = moment.exec(bytes);
  if (found === null) throw new Error(`the run never said ${moment.source}`);
  return bytes.slice(0, found.index + found[0].length);
}

/** So long a transaction is open before preflight tells of it, and a second more. */
const forgottenAfterMs = 6_000;

/** Somebody has looked at a table in psql, and gone home. */
async function withForgottenTransaction(server: TestServer, work: () => Promise<void>): Promise<void> {
  const sql = postgres(urlOf(server, 'analyst'), { max: 1, connection: { application_name: 'psql' } });
  try {
    await sql.unsafe('begin; select count(*) from sessions');
    await sleep(forgottenAfterMs);
    await work();
  } finally {
    await sql.end();
  }
}

/** The newest: a run that was refused has left one, too. */
async function readPage(reports: string, name: RegExp): Promise<string> {
  const files = (await readdir(reports)).filter((file) => name.test(file)).toSorted();
  return await readFile(path.join(reports, files.at(-1) ?? ''), 'utf8');
}
