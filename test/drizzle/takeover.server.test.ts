import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readCatalog } from '../support/catalog.ts';
import { createDatabase } from '../support/database.ts';
import { createKitProject, type KitProject } from '../support/drizzle-kit.ts';
import { tags, tagsUpTo } from '../support/facts.ts';
import { brokenPromises, checksumOfOldColumns, duplicateFill, oddities } from '../support/oddities.ts';
import { serverVersions } from '../support/server.ts';

let kits: Record<'postgres' | 'pg', KitProject>;
beforeAll(async () => {
  const [postgres, pg] = await Promise.all([createKitProject('postgres'), createKitProject('pg')]);
  kits = { postgres, pg };
});
afterAll(() => Promise.all(Object.values(kits).map((kit) => kit[Symbol.asyncDispose]())));

describe.each(['postgres', 'pg'] as const)('stock drizzle-kit with only the driver %s', (driver) => {
  const kit: Pick<KitProject, 'migrate'> = { migrate: (url) => kits[driver].migrate(url) };

  test.each(serverVersions)(
    'PostgreSQL %i: an empty and a live database end in the same schema',
    async (version) => {
      await using fresh = await createDatabase(version, 'empty');
      await using live = await createDatabase(version, 'legacy');
      await live.sql.unsafe(oddities);
      const [before] = await live.sql.unsafe(checksumOfOldColumns);

      expect(await Promise.all([kit.migrate(fresh.url), kit.migrate(live.url)])).toMatchObject([
        { code: 0 },
        { code: 0 },
      ]);

      const [after] = await live.sql.unsafe(checksumOfOldColumns);
      expect(after).toEqual(before);
      expect(await live.sql.unsafe(readCatalog)).toEqual(await fresh.sql.unsafe(readCatalog));
      expect(await live.sql.unsafe(brokenPromises)).toEqual([{ miscounted: 0, without_pairs: 0 }]);
      expect(await live.sql`select id, pairs, pair_count from sessions order by id collate "C"`).toEqual([
        { id: '', pairs: ['SOL/USD'], pair_count: 1 },
        { id: 'both', pairs: ['ETH/USD'], pair_count: 1 },
        { id: 'empty both', pairs: [], pair_count: 0 },
        { id: 'empty symbol', pairs: ['KRW-LAMB'], pair_count: 1 },
        { id: 'neither', pairs: [], pair_count: 0 },
        { id: 'never started', pairs: ['BTC/USD'], pair_count: 1 },
        { id: 'quotes "\'\\ 😀', pairs: ['we"ird\'\\ 😀'], pair_count: 1 },
        { id: 'symbol', pairs: ['BTC/USD'], pair_count: 1 },
        { id: 'trading pair', pairs: ['XBTUSDT'], pair_count: 1 },
      ]);

      // The second run finds nothing to do.
      const journal = await live.sql`select * from multi_pair_db.migrations`;
      expect(await kit.migrate(live.url)).toMatchObject({ code: 0 });
      expect(await live.sql`select * from multi_pair_db.migrations`).toEqual(journal);
      expect(await live.sql.unsafe(checksumOfOldColumns)).toEqual([before]);
      expect(journal).toHaveLength(tags.length);
    },
  );
});

test.each(serverVersions)(
  'PostgreSQL %i: duplicate fills fail the migration, and it succeeds once they are gone',
  async (version) => {
    const kit = kits.postgres;
    await using live = await createDatabase(version, 'legacy');
    await live.sql.unsafe(oddities);
    await live.sql.unsafe(duplicateFill);

    expect(await kit.migrate(live.url)).toMatchObject({ code: 1 });
    expect(await live.sql`select count(*)::int as files from multi_pair_db.migrations`).toEqual([
      { files: tagsUpTo('001').length },
    ]);

    await live.sql`delete from fills where id = 'stored twice'`;
    expect(await kit.migrate(live.url)).toMatchObject({ code: 0 });
    expect(await live.sql`select count(*)::int as files from multi_pair_db.migrations`).toEqual([
      { files: tags.length },
    ]);
    const invalid = await live.sql`select indexrelid::regclass::text from pg_index where not indisvalid`;
    expect(invalid).toEqual([]);
  },
);
