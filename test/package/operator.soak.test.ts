import { execFile, spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify, stripVTControlCharacters } from 'node:util';
import type { Sql } from 'postgres';
import { expect, test } from 'vitest';
import { env } from '../support/backups.ts';
import { type Block, blocksOf, commandsOf } from '../support/blocks.ts';
import { findPrograms } from '../support/client-programs.ts';
import { packPackage } from '../support/consumer.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { readLegacySchema } from '../support/migrations.ts';
import { oneShape } from '../support/shape.ts';
import { until } from '../support/waiting.ts';

const run = promisify(execFile);
const page = 'docs/operator.md';

/** The live database as the guide finds it: 30,000 of each, three fills delivered twice, and one typed in twice by hand. */
async function fillLive(sql: Sql): Promise<void> {
  await sql.unsafe(`
    insert into sessions (id, symbol, exchange, status, startedat, settlesession, settledcomplete)
    select 's' || i, (array['BTC/USD', 'ETH/USD', 'SOL/USD'])[1 + i % 3], 'kraken', 'completed', 1764000000000 + i * 8000::bigint,
           i % 10 < 7, case when i < 28500 then true end
    from generate_series(1, 30000) as i;
    insert into orders (id, sessionid, symbol, side, status, price, timestamp)
    select 'o' || i, id, symbol, 'buy', 'filled', 100, startedat from generate_series(1, 30000) as i join sessions on id = 's' || i;
    insert into fills (id, orderid, sessionid, symbol, side, size, price, timestamp, tradeid)
    select 'f' || i, 'o' || i, id, symbol, 'buy', 0.5, 100, startedat, i
    from generate_series(1, 30000) as i join sessions on id = 's' || i;
    insert into fills (id, orderid, sessionid, symbol, side, size, price, timestamp, tradeid)
    select 'again-' || id, orderid, sessionid, symbol, 'BUY', size, price, timestamp, tradeid
    from fills where id in ('f12000', 'f14000', 'f16000');
    insert into fills (id, orderid, sessionid, symbol, side, size, price, timestamp)
    select id, 'o1', 's1', 'BTC/USD', 'buy', 1, 100, 1764000000000 from unnest(array['hand', 'hand again']) as id`);
  await sql.unsafe('vacuum analyze sessions, orders, fills');
}

/** The walk of an operator through the page. */
class Night {
  printed = '';
  readonly #db: Pick<TestDatabase, 'name' | 'url'>;
  readonly #admin: Sql;
  readonly #folder: string;
  readonly #environment: NodeJS.ProcessEnv;

  constructor(db: Pick<TestDatabase, 'name' | 'url'>, admin: Sql, folder: string, programs: string) {
    this.#db = db;
    this.#admin = admin;
    this.#folder = folder;
    this.#environment = {
      ...process.env,
      ...env(18),
      DATABASE_URL: db.url,
      PATH: `${programs}:${process.env['PATH']}`,
    };
  }

  /** Runs a command of the page: only where the database is, and which backup it is, are the reader's own. */
  async follow(command: string, exitCode = 0): Promise<void> {
    const { name, url } = this.#db;
    const [backup = ''] = (await readdir(path.join(this.#folder, 'backups')).catch(() => []))
      .filter((file) => file.endsWith('.dump') && !file.includes('before'))
      .sort();
    const own = command
      .replaceAll('127.0.0.1_5432_trading', `127.0.0.1_${new URL(url).port}_${name}`)
      .replaceAll(/(?<=--into |--confirm )trading/g, name)
      .replaceAll('backups/FILE', `backups/${backup}`);
    const { code, output } = await run('bash', ['-euc', own], {
      cwd: this.#folder,
      env: this.#environment,
    }).then(
      ({ stdout, stderr }) => ({ code: 0, output: stdout + stderr }),
      (error: { code: number; stdout: string; stderr: string }) => ({
        code: error.code,
        output: error.stdout + error.stderr,
      }),
    );
    expect.soft(code, `${command}\n${output}`).toBe(exitCode);
    this.#note(output);
  }

  /** Ctrl-C while 0001 fills rows. */
  async stopHalfWay(): Promise<void> {
    const child = spawn('npx', ['multi-pair-db', 'migrate'], {
      cwd: this.#folder,
      env: this.#environment,
      detached: true,
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    const ended = new Promise((resolve) => child.once('close', resolve));
    await until(async () => {
      const [seen] = await this.#admin`
        select count(*)::int as sessions from pg_stat_activity
        where datname = ${this.#db.name} and state = 'active' and query like '%$backfill$%'`;
      return seen?.['sessions'] === 1;
    }, 'it fills rows');
    // As a terminal does it: to all that run in it.
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGINT');
    await ended;
    this.#note(output);
  }

  /** Every line that the page shows was printed, but for figures, times and names. */
  expectPrinted({ text, line }: Block): void {
    for (const [index, shown] of text.trimEnd().split('\n').entries())
      expect.soft(this.printed, `${page}, line ${line + index}: ${shown}`).toContain(oneShape(shown));
  }

  #note(output: string): void {
    const { name, url } = this.#db;
    const plain = stripVTControlCharacters(output)
      .replaceAll(`127.0.0.1:${new URL(url).port}`, '127.0.0.1:5432')
      .replaceAll(`127.0.0.1_${new URL(url).port}`, '127.0.0.1_5432')
      .replaceAll(name, 'trading');
    this.printed += ` ${oneShape(plain)}`;
  }
}

/** What ends with 1 before the migration, because it finds what the night is there for. */
const findings = /multi-pair-db (status|preflight|duplicates|dedupe( --dry-run)?)$/;
/** Comes last, on the database as it was before: a plan is for one migration. */
const byPlan = /migrate --plan plan\.json/;

test.skipIf(findPrograms(18) === undefined)(
  'docs/operator.md is followed word for word: from the tarball to the migration, back, and to the backup',
  async () => {
    await using db = await createDatabase(18, 'empty');
    const admin = db.connect({ database: 'postgres', max: 1 });
    // The owner of the tables, and no superuser: what one can't see, the guide's operator can't see either.
    const owner = `owner_${db.name}`;
    await admin.unsafe(`create role ${owner} login createdb; alter database ${db.name} owner to ${owner}`);
    await admin.unsafe(`grant pg_monitor to ${owner}`);
    const url = db.url.replace('postgres@', `${owner}@`);
    const live = db.connect({ max: 1, username: owner });
    await live.unsafe(await readLegacySchema());
    await fillLive(live);
    await Promise.all([live.end(), db.sql.end()]);
    const home = await mkdtemp(path.join(tmpdir(), 'multi-pair-db-operator-'));
    const programs = path.join(home, 'programs');
    const mails = path.join(home, 'mails');
    try {
      for (const folder of [programs, path.join(home, 'multi-pair-db'), path.join(home, 'night')])
        await mkdir(folder);
      await writeFile(path.join(programs, 'mail'), `#!/bin/sh\necho "$@" >> ${mails}\n`);
      await chmod(path.join(programs, 'mail'), 0o755);
      await packPackage(path.join(home, 'multi-pair-db'));
      const night = new Night({ name: db.name, url }, admin, path.join(home, 'night'), programs);
      const blocks = await blocksOf(page);
      // The folder is there, and each command runs in it.
      const commands = commandsOf(blocks).filter((command) => !/^(mkdir|cd|export) /.test(command));
      let isBefore = true;
      for (const command of commands.filter((command) => !byPlan.test(command))) {
        if (command.includes('migrate --require-backup')) {
          isBefore = false;
          await night.stopHalfWay();
        }
        await night.follow(command, isBefore && findings.test(command) ? 1 : 0);
      }
      for (const command of commands.filter((command) => byPlan.test(command))) await night.follow(command);
      for (const block of blocks.filter(({ language }) => language !== 'sh')) night.expectPrinted(block);
      expect(await readFile(mails, 'utf8')).toContain('night@example.com');
    } finally {
      await admin.unsafe(`drop database if exists ${db.name}_copy`);
      await rm(home, { recursive: true, force: true });
    }
  },
);
