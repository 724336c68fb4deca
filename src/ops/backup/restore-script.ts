import { once } from 'node:events';
import type { ClientPrograms } from './programs.ts';
import { type ProgramRun, startProgram } from './run-program.ts';

/** What pg_restore 17 and later set at the beginning of every script, and no server before 17 knows. */
const unknownSetting = /^SET transaction_timeout = 0;\n/m;
const firstMajorWithSetting = 17;

/** True if the script of this pg_restore begins with a setting that this server refuses. */
export const needsScript = (programsMajor: number, serverMajor: number): boolean =>
  programsMajor >= firstMajorWithSetting && serverMajor < firstMajorWithSetting;

/**
 * Restores through psql, without the setting that an older server refuses. psql gets the end of its input, and so
 * commits, only when pg_restore has ended well: half a script is never committed.
 */
export async function restoreByScript(
  programs: ClientPrograms,
  run: Omit<ProgramRun, 'program' | 'args'>,
  args: readonly string[],
  dbname: string,
): Promise<void> {
  const restore = startProgram(
    { ...run, program: programs.pgRestore, args: ['--file=-', ...args] },
    'ignore',
  );
  const psql = startProgram(
    {
      ...run,
      program: programs.psql,
      args: [
        '--no-psqlrc',
        '--quiet',
        '--single-transaction',
        '--set=ON_ERROR_STOP=1',
        '--no-password',
        dbname,
        '--file=-',
      ],
    },
    'pipe',
  );
  psql.process.stdout?.resume();
  // A psql that has failed closes its input; its own words say why.
  psql.process.stdin?.on('error', () => {});
  let psqlFault: unknown;
  const psqlEnded = psql.ended.catch((error: unknown) => {
    psqlFault = error;
    restore.process.kill();
  });
  try {
    await feed(restore.process.stdout, psql.process.stdin);
    await restore.ended;
  } catch (error) {
    // If psql failed first, that is what ended pg_restore.
    const cause = psqlFault ?? error;
    psql.process.kill();
    await Promise.allSettled([restore.ended, psqlEnded]);
    throw cause;
  }
  psql.process.stdin?.end();
  await psqlEnded;
  if (psqlFault !== undefined) throw psqlFault;
}

/** The setting stands in the first lines, before any row: what a row says is not touched. */
async function feed(from: NodeJS.ReadableStream | null, to: NodeJS.WritableStream | null): Promise<void> {
  if (from === null || to === null) return;
  let head: Buffer | undefined = Buffer.alloc(0);
  const write = async (chunk: Buffer): Promise<void> => {
    // A pipe that breaks while it is full: psql has ended, and its own words say why.
    if (to.writable && !to.write(chunk)) await once(to, 'drain').catch(() => {});
  };
  for await (const part of from) {
    const chunk = Buffer.from(part);
    if (head === undefined) {
      await write(chunk);
      continue;
    }
    head = Buffer.concat([head, chunk]);
    const text = head.toString('latin1');
    if (!unknownSetting.test(text) && head.length < 4_096) continue;
    await write(Buffer.from(text.replace(unknownSetting, ''), 'latin1'));
    head = undefined;
  }
  if (head !== undefined)
    await write(Buffer.from(head.toString('latin1').replace(unknownSetting, ''), 'latin1'));
}
