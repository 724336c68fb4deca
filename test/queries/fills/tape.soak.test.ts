import { drizzle } from 'drizzle-orm/postgres-js';
import { expect, test } from 'vitest';
import { insertFills } from '../../../src/queries/index.ts';
import { createDatabase } from '../../support/database.ts';
import { pageThrough } from '../../support/page-through.ts';
import { hasTapes, insertParents, loadTape, needsTapes } from '../../support/tape.ts';

test.skipIf(!hasTapes)(
  `every page size gives each row of the multi-pair tape once${needsTapes}`,
  async () => {
    await using database = await createDatabase(15, 'migrated');
    const db = drizzle({ client: database.sql });
    const tape = await loadTape('multi-pair-fills');
    await insertParents(database.sql, tape);
    expect((await insertFills(db, tape)).length).toBe(tape.length);
    await database.sql`analyze fills`;

    for (const limit of [1, 7, 100, 1000]) {
      await pageThrough(db, tape, { limit, most: tape.length });
    }
  },
);
