import type { MigrationFile, MigrationStatement } from '../../src/migrate/history/folder.ts';
import { openScratch } from './scratch.ts';

/**
 * Runs what was written, there and back and there again, twice each, on an embedded database: the undo leaves what was
 * before, and a file that is run again changes nothing.
 *
 * @throws Error that names what is not as it was
 */
export async function proveThereAndBack(
  earlier: readonly MigrationFile[],
  up: readonly MigrationStatement[],
  down: readonly MigrationStatement[],
  wanted: string,
): Promise<void> {
  await using scratch = await openScratch(earlier);
  const read = async (): Promise<string> => JSON.stringify(await scratch.readObjects());
  const before = await read();
  for (const round of [1, 2]) {
    await scratch.apply(up);
    expect(await read(), wanted, `the file does not come to what the schema says (round ${round})`);
    await scratch.apply(up);
    expect(await read(), wanted, 'the file, run again, changes something');
    await scratch.undo(down);
    expect(await read(), before, 'the undo does not come to what was before');
    await scratch.undo(down);
    expect(await read(), before, 'the undo, run again, changes something');
  }
}

function expect(found: string, wanted: string, message: string): void {
  if (found === wanted) return;
  const parse = (text: string): { kind: string; table: string; name: string }[] => JSON.parse(text);
  const lines = (text: string): string[] => parse(text).map((object) => JSON.stringify(object));
  const [there, should] = [lines(found), lines(wanted)];
  const odd = [
    ...there.filter((line) => !should.includes(line)).map((line) => `  has:    ${line}`),
    ...should.filter((line) => !there.includes(line)).map((line) => `  lacks:  ${line}`),
  ];
  throw new Error(`${message}:\n${odd.join('\n')}`);
}
