import { expect, test } from 'vitest';
import { runCommand } from '../support/command.ts';
import { createDatabase } from '../support/database.ts';
import { madeBy, tagsAfter } from '../support/facts.ts';
import { checksumOfOldColumns, oddities } from '../support/oddities.ts';
import { rollBackDatabaseDownTo } from '../support/rollback.ts';
import { serverVersions } from '../support/server.ts';

test.each(serverVersions)(
  'PostgreSQL %i: a live database goes there and back and there, proven at each step, its old columns as they were',
  async (version) => {
    await using db = await createDatabase(version, 'legacy');
    await db.sql.unsafe(oddities);
    const before = await db.sql.unsafe(checksumOfOldColumns);
    const run = async (...words: string[]) => {
      const outcome = await runCommand([...words, '--url', db.url]);
      expect(await db.sql.unsafe(checksumOfOldColumns)).toEqual(before);
      return outcome;
    };

    expect(await run('preflight')).toMatchObject({ exitCode: 0, result: { mayRun: true } });
    expect(await run('migrate')).toMatchObject({ exitCode: 0 });
    expect(await run('verify')).toMatchObject({ exitCode: 0, result: { findings: [], checkedRows: 11 } });

    await rollBackDatabaseDownTo(db.url, '002');
    expect(await run('rollback', '002')).toMatchObject({ exitCode: 0 });
    const without = await run('verify');
    expect(without.exitCode).toBe(1);
    expect(
      without.text.match(
        /^fault: index idx_\w+\n.*\n {2}found: {6}missing\n {2}what to do: multi-pair-db migrate 002$/gm,
      ),
    ).toHaveLength(madeBy('002').length);
    // Each index of 002 and its journal row, and what later files make.
    const faults = ['002', ...tagsAfter('002')].reduce((sum, name) => sum + madeBy(name).length + 1, 0);
    expect(without.text.includes(`\nnot verified: ${faults} faults\n`)).toBe(true);

    expect(await run('migrate')).toMatchObject({ exitCode: 0 });
    await db.sql`update sessions set pairs = '["BTC/USD", "ETH/USD"]' where id = 'symbol'`;
    await rollBackDatabaseDownTo(db.url, '002');
    expect(await run('rollback', '002')).toMatchObject({ exitCode: 0 });
    expect(await run('rollback', '001', '--accept-data-loss')).toMatchObject({ exitCode: 0 });
    expect(await run('verify')).toMatchObject({ exitCode: 1 });
    expect(await run('preflight')).toMatchObject({ exitCode: 0, result: { mayRun: true } });

    expect(await run('migrate')).toMatchObject({ exitCode: 0 });
    expect(await run('verify')).toMatchObject({ exitCode: 0, result: { findings: [] } });
    expect(await db.sql`select pairs, pair_count from sessions where id = 'symbol'`).toEqual([
      { pairs: ['BTC/USD', 'ETH/USD'], pair_count: 2 },
    ]);
  },
);
