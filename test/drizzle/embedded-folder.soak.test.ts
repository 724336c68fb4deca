import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { expect, test } from 'vitest';
import { readCatalog } from '../support/catalog.ts';
import { createDatabase } from '../support/database.ts';
import { runProjectKit } from '../support/drizzle-kit.ts';
import { readLegacySchema } from '../support/migrations.ts';
import { brokenPromises, oddities } from '../support/oddities.ts';

test('stock drizzle-kit migrates an embedded folder', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'multi-pair-db-embedded-'));
  try {
    const live = await PGlite.create(folder);
    await live.exec(await readLegacySchema());
    await live.exec(oddities);
    await live.close();

    for (let run = 0; run < 2; run++) {
      expect(await runProjectKit(['migrate'], { DATABASE_URL: `pglite:${folder}` })).toMatchObject({
        code: 0,
      });
    }

    const migrated = await PGlite.create(folder);
    await using fresh = await createDatabase(18, 'migrated');
    expect((await migrated.query(readCatalog)).rows).toEqual([...(await fresh.sql.unsafe(readCatalog))]);
    expect((await migrated.query(brokenPromises)).rows).toEqual([{ miscounted: 0, without_pairs: 0 }]);
    await migrated.close();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
