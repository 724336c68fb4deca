import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { readCatalog } from '../support/catalog.ts';
import { createDatabase } from '../support/database.ts';
import { tags } from '../support/facts.ts';
import { oddities } from '../support/oddities.ts';
import { serverVersions } from '../support/server.ts';

const run = promisify(execFile);
const hasPsql = await run('psql', ['--version']).then(
  () => true,
  () => false,
);
const file = (name: string) => ['-f', fileURLToPath(new URL(`../../drizzle/${name}.sql`, import.meta.url))];
const psql = (url: string, args: string[]) =>
  run('psql', [url, '-X', '-q', '-v', 'ON_ERROR_STOP=1', ...args]);

test.skipIf(!hasPsql).each(serverVersions)(
  'PostgreSQL %i: psql -f runs each file, and runs it again (skipped where psql is not on PATH)',
  async (version) => {
    await using live = await createDatabase(version, 'legacy');
    await using fresh = await createDatabase(version, 'migrated');
    await live.sql.unsafe(oddities);

    for (const name of [...tags, ...tags]) await psql(live.url, file(name));
    await live.sql`drop index concurrently idx_orders_symbol_status`;
    await psql(live.url, tags.flatMap(file));

    expect(await live.sql.unsafe(readCatalog)).toEqual(await fresh.sql.unsafe(readCatalog));
    const locks = await live.sql`
      select from pg_locks
      where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())`;
    expect(locks).toHaveLength(0);
  },
);

test.skipIf(!hasPsql)('a refusal reads well in psql', async () => {
  await using live = await createDatabase(18, 'legacy');
  await live.sql`alter table sessions drop column symbol`;
  await expect(psql(live.url, file('0000_baseline'))).rejects.toThrow(
    /ERROR: {2}0000_baseline: this is not the database it expects: sessions\.symbol \(text\) is missing\nHINT: {2}Nothing was changed\./,
  );
});
