import { access, readFile } from 'node:fs/promises';
import path from 'node:path';
import { type MigrationFile, type MigrationStatement, splitStatements } from './folder.ts';

/** The file that undoes a migration: of the same name, in `down/`. */
export interface DownFile {
  /** `drizzle/down/0001_multi_pair_support.sql`, as messages name it. */
  readonly file: string;
  readonly statements: readonly MigrationStatement[];
  /** What its header says after `DATA LOSS:`. Undefined: nothing is lost. */
  readonly dataLoss: string | undefined;
}

/** Reads the undo of a migration; undefined where there is none, and it can't be undone. */
export async function findDownFile(folder: string, { tag }: MigrationFile): Promise<DownFile | undefined> {
  const file = path.join(folder, 'down', `${tag}.sql`);
  if (
    !(await access(file).then(
      () => true,
      () => false,
    ))
  )
    return undefined;
  const text = await readFile(file, 'utf8');
  return {
    file: path.join(path.basename(folder), 'down', `${tag}.sql`),
    statements: splitStatements(text),
    dataLoss: readDataLoss(text),
  };
}

/** The paragraph of the header that begins with `-- DATA LOSS:`, up to the next one. */
function readDataLoss(text: string): string | undefined {
  const match = /^-- DATA LOSS: *(.*(?:\n-- {2,}.*)*)/m.exec(text)?.[1];
  return match
    ?.replace(/\n-- +/g, ' ')
    .replace(/[.;]\s*$/, '')
    .trim();
}
