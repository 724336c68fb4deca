import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** A drizzle folder of a test's own. */
export interface TestFolder extends AsyncDisposable {
  readonly folder: string;
  /** Writes the files again: SQL by tag, in order. Stamps are 1000, 2000, … unless they are given. */
  write(files: Readonly<Record<string, string>>, stamps?: readonly number[]): Promise<void>;
}

/** Creates a folder as drizzle-kit would. Use it with `await using`. */
export async function createFolder(files: Readonly<Record<string, string>>): Promise<TestFolder> {
  const home = await mkdtemp(path.join(tmpdir(), 'multi-pair-db-folder-'));
  const folder = path.join(home, 'drizzle');
  await mkdir(path.join(folder, 'meta'), { recursive: true });
  const write: TestFolder['write'] = async (contents, stamps = []) => {
    const entries = Object.keys(contents).map((tag, idx) => ({
      idx,
      version: '7',
      when: stamps[idx] ?? (idx + 1) * 1000,
      tag,
      breakpoints: true,
    }));
    await writeFile(path.join(folder, 'meta', '_journal.json'), JSON.stringify({ version: '7', entries }));
    for (const [tag, sql] of Object.entries(contents)) await writeFile(path.join(folder, `${tag}.sql`), sql);
  };
  await write(files);
  return {
    folder,
    write,
    [Symbol.asyncDispose]: () => rm(home, { recursive: true, force: true }),
  };
}
