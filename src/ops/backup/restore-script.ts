import type { ClientPrograms } from './programs.ts';
import type { Psql } from './psql.ts';
import { type ProgramRun, startProgram } from './run-program.ts';

/** What pg_restore 17 and later set at the beginning of every script, and no server before 17 knows. */
const unknownSetting = /^SET transaction_timeout = 0;\n/m;
const firstMajorWithSetting = 17;

/** True if the script of this pg_restore begins with a setting that this server refuses. */
export const needsRewriting = (programsMajor: number, serverMajor: number): boolean =>
  programsMajor >= firstMajorWithSetting && serverMajor < firstMajorWithSetting;

/** What is to be fed, and how it is shown. */
export interface RestoreScript {
  readonly programs: ClientPrograms;
  readonly running: Omit<ProgramRun, 'program' | 'args'>;
  readonly args: readonly string[];
  readonly serverMajor: number;
  /** Called for each object that pg_restore begins with: `creating INDEX "public.idx_fills_symbol"`. */
  readonly onObject: (text: string) => void;
  readonly onBytes: (count: number) => void;
}

/**
 * Has pg_restore write its script into psql. Returns when pg_restore has ended well and psql has all of it.
 *
 * @throws OperationError what pg_restore said; what psql said comes from psql
 */
export async function feedScript(psql: Psql, script: RestoreScript): Promise<void> {
  const { programs, running, args, serverMajor, onObject, onBytes } = script;
  const restore = startProgram(
    {
      ...running,
      program: programs.pgRestore,
      args: ['--file=-', '--verbose', ...args],
      onErrorLine: (line) => {
        const text = /^pg_restore: ((?:creating|processing) .*)$/.exec(line)?.[1];
        if (text !== undefined) onObject(text);
      },
    },
    'ignore',
  );
  const { stdout } = restore.process;
  if (stdout === null) throw new Error('pg_restore was started with pipes');
  const isHandedOver = await psql.feed(
    counted(needsRewriting(programs.major, serverMajor) ? withoutUnknownSetting(stdout) : stdout, onBytes),
  );
  // Asked in the middle of a COPY, psql would take the question for a row: not before pg_restore has ended well. But a
  // psql that has ended is what ended pg_restore, and its words are the ones worth reading.
  if (isHandedOver) await restore.ended;
  else restore.process.kill();
  await psql.ask('');
}

async function* counted(
  script: AsyncIterable<string | Buffer>,
  onBytes: (count: number) => void,
): AsyncGenerator<string | Buffer> {
  for await (const chunk of script) {
    yield chunk;
    onBytes(chunk.length);
  }
}

/** The setting stands in the first lines, before any row: what a row says is not touched. */
async function* withoutUnknownSetting(script: NodeJS.ReadableStream): AsyncGenerator<Buffer> {
  let head: Buffer | undefined = Buffer.alloc(0);
  const rewrite = (text: string): Buffer => Buffer.from(text.replace(unknownSetting, ''), 'latin1');
  for await (const part of script) {
    const chunk = Buffer.from(part);
    if (head === undefined) {
      yield chunk;
      continue;
    }
    head = Buffer.concat([head, chunk]);
    const text = head.toString('latin1');
    if (!unknownSetting.test(text) && head.length < 4_096) continue;
    yield rewrite(text);
    head = undefined;
  }
  if (head !== undefined) yield rewrite(head.toString('latin1'));
}
