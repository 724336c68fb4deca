import { OperationError } from '../../connection/errors.ts';
import type { DownFile } from '../history/down.ts';
import type { MigrationFile } from '../history/folder.ts';
import type { History } from '../history/history.ts';
import { defaultJournal, unrecordSql } from '../history/journal.ts';
import { forgetsItself } from '../plan/frame.ts';
import { findMode, type PlanMode } from '../plan/planned-migration.ts';
import type { ReadStatement } from '../plan/statements.ts';
import { begin, commit, fileStep, liftLimitSteps, type PlanStep, runnerStep } from '../plan/step.ts';
import type { Project } from '../project.ts';

/**
 * The steps that undo a migration.
 *
 * A file in the frame takes its record away itself. Else the record goes with the work, in one transaction, where the
 * work can be in one. Where it can't, the record goes first: broken off half way, the database then says "pending", and
 * the next run of either direction finishes it.
 */
export function planUndo(
  project: Project,
  migration: MigrationFile,
  { statements }: DownFile,
  versionNumber: number,
  read: ReadStatement,
): { steps: PlanStep[]; mode: PlanMode } {
  const mode = findMode(statements, read);
  const blocks = project.blocks?.[migration.tag] ?? {};
  const work = statements.map((statement) => fileStep(statement, blocks, read));
  const unrecord = runnerStep(unrecordSql(migration, project.journal ?? defaultJournal), {
    lock: 'ROW EXCLUSIVE on the journal',
    work: 'one row',
    tables: [],
  });
  const ordered = forgetsItself(statements)
    ? work
    : mode === 'transaction'
      ? [begin, ...work, unrecord, commit]
      : [unrecord, ...work];
  return { steps: [...liftLimitSteps(versionNumber), ...ordered], mode };
}

/** @throws OperationError `REFUSED` there is no undo; `DATA_LOSS` it is not accepted */
export function refuseWithoutUndo(
  { tag }: MigrationFile,
  down: DownFile | undefined,
  acceptDataLoss: boolean,
): DownFile {
  if (down === undefined) {
    throw new OperationError({
      code: 'REFUSED',
      message: `${tag} can’t be rolled back; nothing was changed`,
      advice: 'There is no undo for it. Restore a backup, or write a migration that does the opposite.',
    });
  }
  if (down.dataLoss !== undefined && !acceptDataLoss) {
    throw new OperationError({
      code: 'DATA_LOSS',
      message: `rolling ${tag} back loses data; nothing was changed: ${down.dataLoss}`,
      advice:
        'Take a backup, stop the services that need it, then repeat the command with --accept-data-loss.',
    });
  }
  return down;
}

/** @throws OperationError `ORDER` */
export function refuseOutOfOrder(migration: MigrationFile, { applied }: History): void {
  const later = applied.filter((file) => file.createdAtMs > migration.createdAtMs).map((file) => file.tag);
  if (later.length === 0) return;
  throw new OperationError({
    code: 'ORDER',
    message: `${migration.tag} can’t be rolled back while ${later.join(', ')} is applied after it; nothing was changed`,
    advice: `Roll back ${later.reverse().join(', then ')} first.`,
  });
}
