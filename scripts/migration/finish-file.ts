import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type MigrationFile, splitStatements } from '../../src/migrate/history/folder.ts';
import { isFramed } from '../../src/migrate/plan/frame.ts';
import { draftFile } from './draft.ts';
import { writeDownFile, writeUpFile } from './files.ts';
import { proveThereAndBack } from './prove.ts';
import { openScratch } from './scratch.ts';

/** Does a file still stand as drizzle-kit has written it? The ground stands outside the frame, which it makes. */
export const isUnfinished = ({ statements }: MigrationFile, position: number): boolean =>
  position > 0 && !isFramed(statements);

/**
 * Puts a file of drizzle-kit into the frame, and writes its undo beside it. Both are proven on an embedded database before
 * they are written.
 *
 * @throws RefusedError where a statement is not safe on a live table: then nothing is written
 */
export async function finishFile(
  folder: string,
  file: MigrationFile,
  earlier: readonly MigrationFile[],
): Promise<void> {
  await using scratch = await openScratch(earlier);
  const draft = await draftFile(file, scratch);
  const wanted = JSON.stringify(await scratch.readObjects());
  const up = writeUpFile(draft);
  const down = writeDownFile(draft);
  await proveThereAndBack(earlier, splitStatements(up), splitStatements(down), wanted);
  await mkdir(path.join(folder, 'down'), { recursive: true });
  await writeFile(path.join(folder, `${file.tag}.sql`), up);
  await writeFile(path.join(folder, 'down', `${file.tag}.sql`), down);
}
