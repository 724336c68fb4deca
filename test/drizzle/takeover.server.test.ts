import { expect, test } from 'vitest';
import { createDatabase } from '../support/database.ts';
import { serverVersions } from '../support/server.ts';

test.each(serverVersions)('PostgreSQL %i: a migrated database has the nine indexes', async (version) => {
  await using db = await createDatabase(version, 'migrated');
  const [row] = await db.sql`
    select count(*)::int as valid from pg_index
    where indisvalid and indrelid in ('sessions'::regclass, 'orders'::regclass, 'fills'::regclass)`;
  expect(row).toEqual({ valid: 3 + 20 + 9 });
});
