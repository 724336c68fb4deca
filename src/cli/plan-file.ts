import { access, constants, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { OperationError } from '../connection/errors.ts';
import {
  type DescribedPlan,
  type PlanRehearsal,
  parseSavedPlan,
  type SavedPlan,
  toSavedPlan,
} from '../own/index.ts';
import { readVersion } from './version.ts';

/**
 * Writes a plan down. A file that is there is replaced: the plan of this morning is what is meant, and not yesterday's.
 *
 * @throws OperationError `FILE_INVALID`
 */
export async function writePlanFile(
  file: string,
  plan: DescribedPlan,
  rehearsal?: PlanRehearsal,
): Promise<void> {
  const text = `${JSON.stringify(toSavedPlan(plan, readVersion(), rehearsal), null, 2)}\n`;
  await writeFile(file, text).catch((cause: unknown) => {
    throw unusable(file, 'can’t be written', cause);
  });
}

/**
 * For who is to write one after hours of work.
 *
 * @throws OperationError `FILE_INVALID` where its folder is not there, or can't be written to
 */
export async function refusePlanFolder(file: string): Promise<void> {
  await access(path.dirname(file), constants.W_OK).catch((cause: unknown) => {
    throw unusable(file, 'can’t be written', cause);
  });
}

/** @throws OperationError `FILE_INVALID` */
export async function readPlanFile(file: string): Promise<SavedPlan> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw unusable(file, 'can’t be read', cause);
  });
  return parseSavedPlan(text, file);
}

const unusable = (file: string, fault: string, cause: unknown): OperationError =>
  new OperationError({
    code: 'FILE_INVALID',
    message: `${file} ${fault}: ${cause instanceof Error ? cause.message : String(cause)}; nothing was changed`,
    advice:
      'Name a file in a folder that is there and yours. A plan is made by: multi-pair-db migrate --dry-run --out FILE',
    file,
  });
