import { expect, inject, test } from 'vitest';
import { openConnection } from '../../src/connection/open.ts';
import { applyMigrations } from '../../src/own/index.ts';
import { createDatabase } from '../support/database.ts';
import { tags } from '../support/facts.ts';
import { hasPgbouncer, startPgbouncer } from '../support/pgbouncer.ts';

const newest = 18;
const modes = [
  ['transaction', 5],
  ['transaction', 1],
  ['statement', 5],
] as const;

test.skipIf(!hasPgbouncer).each(modes)(
  'refuses a pgbouncer in %s mode with %i servers (needs pgbouncer on PATH)',
  async (mode, poolSize) => {
    await using db = await createDatabase(newest, 'legacy');
    await using pooler = await startPgbouncer(inject('serverPorts')[newest], mode, poolSize);
    await using connection = await openConnection(pooler.url(db.name));
    await expect(applyMigrations(connection)).rejects.toMatchObject({
      code: 'POOLED',
      exitCode: 4,
      message: expect.stringContaining('nothing was changed'),
      advice: expect.stringContaining('Use the URL of the server itself'),
    });
    expect(await db.sql`select to_regnamespace('multi_pair_db') as journal`).toEqual([{ journal: null }]);
  },
);

test.skipIf(!hasPgbouncer)(
  'migrates through a pgbouncer in session mode (needs pgbouncer on PATH)',
  async () => {
    await using db = await createDatabase(newest, 'legacy');
    await using pooler = await startPgbouncer(inject('serverPorts')[newest], 'session');
    await using connection = await openConnection(pooler.url(db.name));
    expect((await applyMigrations(connection)).applied.map(({ tag }) => tag)).toEqual(tags);
  },
);
