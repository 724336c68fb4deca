import type { Connection } from '../../connection/connection.ts';
import { OperationError } from '../../connection/errors.ts';
import { quoteIdentifier } from '../../connection/identifiers.ts';
import { openConnection } from '../../connection/open.ts';
import { throwIfAborted } from '../../connection/session.ts';
import { findDownFile } from '../../migrate/history/down.ts';
import { readMigrationFiles } from '../../migrate/history/folder.ts';
import {
  type ApplyReport,
  applyMigrations,
  type DescribedPlan,
  ownProject,
  planMigrations,
  rollbackMigration,
  summarizePlan,
  type Verification,
  verifyDatabase,
} from '../../own/index.ts';
import { restoreBackup } from '../backup/restore.ts';
import type { RestoreReport } from '../backup/restore-report.ts';
import { maintainTables } from '../indexes/maintain.ts';
import type { Meter } from './meter.ts';
import type { RehearsalReport, RehearseOptions } from './rehearsal-report.ts';

/** Where it goes, and how. */
export interface RunThrough {
  /** Of the rehearsal database, which is empty. */
  readonly url: string;
  readonly name: string;
  /** The backup. */
  readonly file: string;
  readonly meter: Meter;
  readonly options: RehearseOptions;
}

export type RunThroughReport = Pick<
  RehearsalReport,
  'rehearsedOn' | 'restore' | 'pending' | 'estimatedMs' | 'lock' | 'passed' | 'findings' | 'rehearsal'
>;

/** There, back, and there again, each step measured. */
export async function runThrough(run: RunThrough): Promise<RunThroughReport> {
  const restored = await step(run, 'restore', () => restore(run));
  await enterSchema(run, restored.outsideSearchPath);
  await using connection = await openConnection(run.url, { signal: run.options.signal });
  const plan = await planMigrations(connection);
  const migrated = await there(run, connection, '');
  const pending = migrated.applied.applied.map(({ tag }) => tag);
  const verifications = [{ step: 'verify', ...migrated.verification }];
  if (pending.length > 0) {
    await back(run, connection, pending);
    const again = await there(run, connection, ' again');
    verifications.push({ step: 'verify again', ...again.verification });
  }
  const { complete, differences, objects } = restored;
  const isAsBackedUp = complete && objects.missing.length + objects.surplus.length === 0;
  const { estimatedMs, lock } = summarizePlan(plan);
  return {
    rehearsedOn: connection.target,
    restore: { complete, differences, objects },
    pending,
    estimatedMs,
    lock,
    passed: isAsBackedUp && verifications.every(({ verified }) => verified),
    findings: verifications.flatMap(({ step, findings }) => findings.map((one) => ({ step, ...one }))),
    rehearsal: toRehearsal(plan, migrated.applied),
  };
}

function restore({ url, file, options }: RunThrough): Promise<RestoreReport> {
  return restoreBackup(file, url, {
    into: url,
    safetyBackup: false,
    withoutOwners: options.withoutOwners === true,
    signal: options.signal,
    onPhase: options.onPhase,
    onProgress: options.onProgress,
  });
}

/** A dump does not say what `alter database … set search_path` has said: without it nobody would find the tables. */
async function enterSchema({ url, name, options }: RunThrough, schema: string | undefined): Promise<void> {
  if (schema === undefined) return;
  await using connection = await openConnection(url, { signal: options.signal });
  await connection.execute(
    `alter database ${quoteIdentifier(name)} set search_path = ${quoteIdentifier(schema)}, public`,
  );
}

interface Migrated {
  readonly applied: ApplyReport;
  readonly verification: Verification;
}

/** What `migrate` does on the live database, and in its order. */
async function there(run: RunThrough, connection: Connection, again: string): Promise<Migrated> {
  const { signal, onEvent } = run.options;
  const applied = await step(run, `migrate${again}`, () =>
    applyMigrations(connection, {
      // Nobody trades here: there is nothing to compare with.
      baselineMs: 0,
      ...(signal && { signal }),
      ...(onEvent && { onProgress: onEvent }),
    }),
  );
  await step(run, `analyze${again}`, () => maintainTables(connection, 'analyze', { signal }));
  const verification = await step(run, `verify${again}`, () => verifyDatabase(connection, { signal }));
  return { applied, verification };
}

/** The newest first. The first of our files has no undo: it changes nothing that was there. */
async function back(run: RunThrough, connection: Connection, tags: readonly string[]): Promise<void> {
  const { signal, onEvent } = run.options;
  const files = await readMigrationFiles(ownProject.folder);
  for (const file of files.filter(({ tag }) => tags.includes(tag)).reverse()) {
    if ((await findDownFile(ownProject.folder, file)) === undefined) continue;
    await step(run, `rollback ${file.tag}`, () =>
      rollbackMigration(connection, file.tag, {
        acceptDataLoss: true,
        baselineMs: 0,
        ...(signal && { signal }),
        ...(onEvent && { onProgress: onEvent }),
      }),
    );
  }
}

/** A fault says in which step it was. */
async function step<Result>(
  { meter, options }: RunThrough,
  name: string,
  work: () => Promise<Result>,
): Promise<Result> {
  throwIfAborted(options.signal, `before the step ${name}`);
  options.onPhase?.(`${name} …`);
  options.onStep?.(name);
  return await meter.measure(name, async () => {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      throw new OperationError({ ...error.toJSON(), message: `${name}: ${error.message}` });
    }
  });
}

function toRehearsal(plan: DescribedPlan, { applied }: ApplyReport): RehearsalReport['rehearsal'] {
  return {
    endedAtMs: Date.now(),
    target: plan.target,
    files: plan.migrations.flatMap(({ tag, hash }) =>
      applied.filter((one) => one.tag === tag).map(({ durationMs }) => ({ tag, hash, durationMs })),
    ),
    tables: plan.tables.map(({ table, rows }) => ({ table, rows: rows ?? null })),
  };
}
