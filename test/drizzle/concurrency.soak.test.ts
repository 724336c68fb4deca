import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabase } from '../support/database.ts';
import { createKitProject, type KitProject } from '../support/drizzle-kit.ts';
import { tags } from '../support/facts.ts';
import { brokenPromises, checksumOfOldColumns, oddities } from '../support/oddities.ts';
import { serverVersions } from '../support/server.ts';

let kit: KitProject;
beforeAll(async () => {
  kit = await createKitProject('postgres');
});
afterAll(() => kit[Symbol.asyncDispose]());

test.each(serverVersions)(
  'PostgreSQL %i: two stock drizzle-kit migrate at once, ten times over',
  async (version) => {
    for (let round = 0; round < 10; round++) {
      await using live = await createDatabase(version, 'legacy');
      await live.sql.unsafe(oddities);
      const before = await live.sql.unsafe(checksumOfOldColumns);

      const codes = (await Promise.all([kit.migrate(live.url), kit.migrate(live.url)])).map(
        (ended) => ended.code,
      );
      expect(codes).toContain(0);
      expect(await kit.migrate(live.url)).toMatchObject({ code: 0 });

      const files = await live.sql`select created_at from multi_pair_db.migrations`;
      expect(new Set(files.map((row) => row['created_at'])).size).toBe(tags.length);
      expect(files).toHaveLength(tags.length);
      expect(await live.sql.unsafe(checksumOfOldColumns)).toEqual(before);
      expect(await live.sql.unsafe(brokenPromises)).toEqual([{ miscounted: 0, without_pairs: 0 }]);
    }
  },
);
