import { drizzle } from 'drizzle-orm/postgres-js';
import { migrate } from 'drizzle-orm/postgres-js/migrator';
import { expectTypeOf, test } from 'vitest';
import {
  type ApplyReport,
  applyMigrations,
  type Connection,
  checkPlan,
  type DescribedPlan,
  type LongestLag,
  OperationError,
  openConnection,
  type Pause,
  type ProgressEvent,
  pauseRuns,
  planMigrations,
  type RollbackReport,
  readPause,
  readStatus,
  resumeRuns,
  rollbackMigration,
  toSavedPlan,
} from '../../src/own/index.ts';
import {
  migrationsFolder,
  migrationsFolderV1,
  migrationsSchema,
  migrationsTable,
} from '../../src/own/migrations.ts';

test('the example of the folders type-checks', async () => {
  const db = drizzle('postgres://localhost/trading');
  await migrate(db, { migrationsFolder, migrationsSchema, migrationsTable });
  expectTypeOf(migrationsFolderV1).toEqualTypeOf<string>();
});

test('the examples of the migrator type-check', async () => {
  await using connection = await openConnection('postgres://localhost/trading');
  expectTypeOf(connection).toExtend<Connection>();
  const onProgress = (event: ProgressEvent): void => {
    if (event.kind === 'backfill') expectTypeOf(event.remainingMs).toEqualTypeOf<number | undefined>();
  };
  expectTypeOf(await applyMigrations(connection, { upTo: '001', onProgress })).toEqualTypeOf<ApplyReport>();
  expectTypeOf(await rollbackMigration(connection, '002')).toEqualTypeOf<RollbackReport>();
  const { migrations } = await readStatus(connection);
  expectTypeOf(migrations.every((migration) => migration.state === 'applied')).toEqualTypeOf<boolean>();
  for (const migration of (await planMigrations(connection)).migrations) {
    for (const step of migration.steps) expectTypeOf(step.sql).toEqualTypeOf<string>();
  }
  await applyMigrations(connection, { project: { folder: './drizzle' } });
  const saved = toSavedPlan(await planMigrations(connection));
  expectTypeOf(await checkPlan(connection, saved)).toEqualTypeOf<DescribedPlan>();
  await applyMigrations(connection, { plan: saved });
});

test('the examples of the pause, and what a run measures, type-check', async () => {
  await using connection = await openConnection('postgres://localhost/trading');
  const { sinceMs } = await pauseRuns(connection, { by: 'alice', reason: 'the market opens' });
  expectTypeOf(sinceMs).toEqualTypeOf<number>();
  expectTypeOf(await resumeRuns(connection)).toEqualTypeOf<Pause | undefined>();
  expectTypeOf(await readPause(connection)).toEqualTypeOf<Pause | undefined>();
  const { tradeWaits, rests, longestLag } = await applyMigrations(connection, {
    maxReplicaLagMs: 0,
    baselineMs: 0,
  });
  expectTypeOf(longestLag).toEqualTypeOf<LongestLag | undefined>();
  if (tradeWaits?.measured) expectTypeOf(tradeWaits.during?.p999Ms).toEqualTypeOf<number | undefined>();
  for (const { reason } of rests) expectTypeOf(reason).toEqualTypeOf<'pause' | 'lag' | 'archive' | 'trade'>();
  // @ts-expect-error: a pause says who
  await pauseRuns(connection, { reason: 'the market opens' });
  // @ts-expect-error: where no standby was seen there is no lag
  expectTypeOf(longestLag.lagMs).toBeNumber();
  // @ts-expect-error: what is not measured has no waits
  expectTypeOf(tradeWaits?.during).toBeObject();
});

test('what would be a mistake does not type-check', async () => {
  await using connection = await openConnection('postgres://localhost/trading');
  // @ts-expect-error: a rollback names its migration
  await rollbackMigration(connection);
  // @ts-expect-error: a plan is written down before it is checked
  await checkPlan(connection, await planMigrations(connection));
  // @ts-expect-error: codes are known
  expectTypeOf(new OperationError({ code: 'NONSENSE', message: '', advice: '' })).toBeObject();
  // @ts-expect-error: an error says what to do
  expectTypeOf(new OperationError({ code: 'LOCKED', message: '' })).toBeObject();
  // @ts-expect-error: a URL is opened first
  await applyMigrations('postgres://localhost/trading');
});
