import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';

/**
 * Cuts the stamps of some files to the second, each later than the one before it: drizzle-kit 1.0 knows seconds only, and
 * with these both record the same number. Files that are released keep theirs.
 */
export async function cutStamps(folder: string, tags: readonly string[]): Promise<void> {
  const file = path.join(folder, 'meta', '_journal.json');
  const text = await readFile(file, 'utf8');
  const journal: { entries: { tag: string; when: number }[] } = JSON.parse(text);
  let latest = 0;
  for (const entry of journal.entries) {
    if (tags.includes(entry.tag))
      entry.when = Math.max(Math.floor(entry.when / 1000) * 1000, (Math.floor(latest / 1000) + 1) * 1000);
    latest = Math.max(latest, entry.when);
  }
  const cut = JSON.stringify(journal, null, 2);
  if (JSON.stringify(JSON.parse(text), null, 2) !== cut) await writeFile(file, cut);
}
