import { sql } from 'drizzle-orm';
import { expect, test } from 'vitest';
import { assertSchema, SchemaMismatchError } from '../../../src/queries/index.ts';
import type { Run } from './variants.ts';

/** What each driver sends and gives back; what is found is proven in test/queries/database. */
export function assertSchemaSuite(run: Run): void {
  test('assertSchema: nothing to say of a migrated database', () => run((db) => assertSchema(db)));

  test('assertSchema: names what is missing', () =>
    run(async (db) => {
      await db.execute(sql`alter table sessions disable trigger trg_sessions_sync_pairs`);
      const error: unknown = await assertSchema(db).catch((thrown: unknown) => thrown);
      await db.execute(sql`alter table sessions enable always trigger trg_sessions_sync_pairs`);
      expect(error).toBeInstanceOf(SchemaMismatchError);
      expect(error).toMatchObject({ faults: ['trigger trg_sessions_sync_pairs of sessions is disabled'] });
    }));
}
