import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { commandsOf, readBlocks } from './support/blocks.ts';
import { runCli } from './support/cli.ts';
import { createDatabase } from './support/database.ts';
import { oddities } from './support/oddities.ts';
import { rollBackDatabaseDownTo } from './support/rollback.ts';

const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
const night = readme.slice(readme.indexOf('## Migrate a live database'), readme.indexOf('## All commands'));
const commands = commandsOf(readBlocks(night)).map((line) => line.split(/\s+/).slice(2));

// A backup needs pg_dump of the server's version: test/ops runs that one.
test('PostgreSQL 18: the commands that migrate a live database and bring it back, as the README has them, but backup', async () => {
  await using live = await createDatabase(18, 'legacy');
  await live.sql.unsafe(oddities);
  const folder = await mkdtemp(path.join(tmpdir(), 'multi-pair-db-night-'));
  try {
    expect(commands.map(([name]) => name)).toEqual(expect.arrayContaining(['migrate', 'rollback']));
    for (const command of commands.filter(([name]) => name !== 'backup')) {
      // The night begins and ends with the historic files: what came later has to go back before they can.
      if (command[0] === 'rollback') await rollBackDatabaseDownTo(live.url, command[1] ?? '');
      const { exitCode, stderr } = await runCli(command, { DATABASE_URL: live.url }, folder);
      // Status and preflight find something to do before the night: that is exit code 1.
      const expected = ['status', 'preflight'].includes(command[0] ?? '') ? [0, 1] : [0];
      expect(expected, `${command.join(' ')}: ${stderr}`).toContain(exitCode);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
