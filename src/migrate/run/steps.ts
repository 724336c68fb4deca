import { setTimeout as sleep } from 'node:timers/promises';
import { describeSessions, listTableHolders, type SessionActivity } from '../../connection/activity.ts';
import type { Connection } from '../../connection/connection.ts';
import { OperationError } from '../../connection/errors.ts';
import { quoteIdentifier } from '../../connection/identifiers.ts';
import { formatDuration } from '../../connection/units.ts';
import { firstLine, readConcurrentIndex } from '../plan/head.ts';
import type { PlanMode } from '../plan/planned-migration.ts';
import { dropsIndex, type PlanStep, runnerStep } from '../plan/step.ts';
import { dropFailedBuild } from './failed-build.ts';
import { isLockTimeout } from './gave-up.ts';
import type { RunningFile, StepReport } from './options.ts';
import type { Run } from './run.ts';
import { SteppedBack } from './stepped-back.ts';

/** Between two tries of a transaction; the jitter keeps it from meeting a periodic job each time. */
const retryMs = { least: 200, jitter: 200 };

/** Runs steps in order. A transaction of ours that can't have a lock is rolled back and tried again. */
export async function runSteps(
  run: Run,
  steps: readonly PlanStep[],
  mode: PlanMode,
  running: RunningFile,
): Promise<{ steps: StepReport[]; tries: number }> {
  const startedAt = Date.now();
  for (let tries = 1; ; tries++) {
    let current: PlanStep | undefined;
    const reports: StepReport[] = [];
    const fromFile = steps.filter((step) => step.from === 'file');
    let isOpen = false;
    try {
      for (const step of steps) {
        current = step;
        if (step.from === 'file') announce(run, running.tag, reports.length + 1, fromFile.length, step);
        const report = await (isOpen ? run.step(step, running) : takeStep(run, step, running));
        if (step.leaves !== undefined) isOpen = step.leaves === 'transaction';
        if (step.from === 'file') reports.push(report);
      }
      return { steps: reports, tries };
    } catch (cause) {
      const error = await withFailedBuild(run.connection, cause, current);
      const waitedMs = Date.now() - startedAt;
      // A block that tries by itself has given up for good reason.
      const triesItself = current?.facts.exclusive !== undefined;
      if (mode !== 'transaction' || triesItself || !isLockTimeout(error) || waitedMs >= run.maxWaitMs)
        throw error;
      await run.connection.execute('rollback');
      const holders = await listTableHolders(run.connection, current?.facts.tables ?? [], [
        run.connection.pid,
      ]);
      run.emit({ kind: 'waiting', tag: running.tag, for: holders, waitedMs });
      await sleep(retryMs.least + Math.random() * retryMs.jitter);
    }
  }
}

/** Time for who waited to get through: a service that starts runs some twenty statements, one after the other. */
const stepBackMs = { least: 500, most: 10_000 };

/**
 * Runs a step that commits by itself, and steps back where others wait behind it, for as long as `maxWaitMs` allows. Such a
 * step can be run again as it stands; an index that it has left INVALID goes first, because IF NOT EXISTS takes it for built.
 */
async function takeStep(run: Run, step: PlanStep, running: RunningFile): Promise<StepReport> {
  // From the first time on, and without the rests: a backfill that is paused for a night has kept nobody waiting.
  let since: { readonly atMs: number; readonly restedMs: number } | undefined;
  for (let tries = 1; ; tries++) {
    try {
      return await run.step(step, running, true);
    } catch (error) {
      const behind = whoWaited(error);
      if (behind === undefined) throw error;
      since ??= { atMs: Date.now(), restedMs: run.restedMs };
      const elapsedMs = Date.now() - since.atMs - (run.restedMs - since.restedMs);
      if (elapsedMs >= run.maxWaitMs) throw crowdedOut(behind, elapsedMs, error);
      const statement = firstLine(step.sql);
      const waitedMs = error instanceof SteppedBack ? error.waitedMs : 0;
      run.emit({ kind: 'stepped back', tag: running.tag, for: behind, tries, statement, waitedMs });
      await run.connection.execute('rollback');
      await sleep(Math.min(stepBackMs.most, stepBackMs.least * 2 ** (tries - 1)) * (1 + Math.random() / 2));
      const index = readConcurrentIndex(step.sql);
      if (index !== undefined) await dropLeftover(run, index, running);
    }
  }
}

/** Who waited behind a statement that gave way; also one that PostgreSQL chose as the victim of a deadlock. */
function whoWaited(error: unknown): readonly SessionActivity[] | undefined {
  if (error instanceof SteppedBack) return error.behind;
  return error instanceof OperationError && error.sqlState === '40P01' ? [] : undefined;
}

async function dropLeftover(run: Run, index: string, running: RunningFile): Promise<void> {
  const [left] = await run.connection.query<{ name: string }>(
    `select c.relname::text as name from pg_index as i join pg_class as c on c.oid = i.indexrelid
     where i.indexrelid = to_regclass($1) and not (i.indisvalid and i.indisready and i.indislive)`,
    [index],
  );
  if (left === undefined) return;
  const name = quoteIdentifier(left.name);
  const drop = runnerStep(`drop index concurrently if exists ${name}`, dropsIndex(name));
  await takeStep(run, drop, running);
}

function crowdedOut(behind: readonly SessionActivity[], elapsedMs: number, cause: unknown): OperationError {
  if (cause instanceof OperationError) return cause;
  return new OperationError({
    code: 'LOCKED',
    message: `gave up after ${formatDuration(elapsedMs)}: each time others waited behind the statement, last ${describeSessions(behind)}`,
    advice:
      'Nothing of theirs was lost. Run it again when no service starts or alters these tables; --max-wait goes on for longer, --max-trade-wait lets others wait longer.',
  });
}

/** Not where the operator wants to leave: a drop may wait. */
async function withFailedBuild(
  connection: Connection,
  error: unknown,
  step: PlanStep | undefined,
): Promise<unknown> {
  if (!(error instanceof OperationError) || step === undefined) return error;
  if (error.code === 'INTERRUPTED' || error.code === 'CONNECTION_LOST') return error;
  const left = await dropFailedBuild(connection, step.sql);
  return left === undefined
    ? error
    : new OperationError({ ...error.toJSON(), advice: `${error.advice} ${left}` });
}

/** What is said of steps as they begin, in order: the statements of the file, by their number. */
export const listAnnounced = (steps: readonly PlanStep[]): string[] =>
  steps.flatMap(({ from, sql }) => (from === 'file' ? [firstLine(sql)] : []));

function announce(run: Run, tag: string, number: number, of: number, { sql }: PlanStep): void {
  run.emit({ kind: 'statement', tag, statement: firstLine(sql), number, of });
}
