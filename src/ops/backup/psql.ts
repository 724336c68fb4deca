import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { OperationError } from '../../connection/errors.ts';
import { type ProgramRun, startProgram } from './run-program.ts';

/** What a psql session needs beside its program. */
export interface PsqlOptions extends Omit<ProgramRun, 'args'> {
  readonly dbname: string;
  /** Statements that psql runs when its input ends, also because this process was killed. */
  readonly atEnd?: readonly string[];
}

/** One psql at work: it is fed with SQL, and says when it has done it. */
export interface Psql {
  /** Runs SQL and gives back the lines that it printed. */
  ask(sql: string): Promise<string[]>;
  /** Hands a script over, which is not yet to have it done. False where psql has ended before it had all of it. */
  feed(script: AsyncIterable<string | Buffer>): Promise<boolean>;
  /** Ends its input, and waits until it has run what is to be run at the end. */
  end(): Promise<void>;
  /** Ends it at once. */
  kill(): Promise<void>;
}

/**
 * Starts psql. Nothing is committed but by a `commit` that it is given: where its input ends early, because this process
 * was killed, psql would take that for the end of the script and, with --single-transaction, commit half of it.
 */
export function startPsql({ dbname, atEnd = [], ...run }: PsqlOptions): Psql {
  const { process: child, ended } = startProgram(
    {
      ...run,
      args: [
        ...['--no-psqlrc', '--quiet', '--tuples-only', '--no-align', '--no-password'],
        ...['--set=ON_ERROR_STOP=1', '--file=-'],
        ...atEnd.map((statement) => `--command=${statement}`),
        dbname,
      ],
    },
    'pipe',
  );
  const { stdin, stdout } = child;
  if (stdin === null || stdout === null) throw new Error('psql was started with pipes');
  // A psql that has failed closes its input; its own words say why.
  stdin.on('error', () => {});
  let lines: string[] = [];
  let onMark: { readonly mark: string; readonly resolve: (lines: string[]) => void } | undefined;
  createInterface({ input: stdout }).on('line', (line) => {
    if (line !== onMark?.mark) {
      // A restored sequence prints its number: nobody asks for those.
      if (onMark !== undefined) lines.push(line);
      return;
    }
    onMark.resolve(lines);
  });
  const write = async (chunk: string | Buffer): Promise<void> => {
    if (stdin.writable && !stdin.write(chunk)) {
      await Promise.race([once(stdin, 'drain').catch(() => {}), ended.catch(() => {})]);
    }
  };
  let marks = 0;
  return {
    ask: async (sql) => {
      const mark = `multi-pair-db:${++marks}`;
      const answered = new Promise<string[]>((resolve) => {
        lines = [];
        onMark = { mark, resolve };
      });
      await write(`${sql}\n\\echo ${mark}\n`);
      const answer = await Promise.race([answered, ended.then(() => undefined)]);
      if (answer === undefined) throw endedEarly();
      return answer;
    },
    feed: async (script) => {
      for await (const chunk of script) {
        if (!stdin.writable) return false;
        await write(chunk);
      }
      return true;
    },
    end: async () => {
      stdin.end();
      await ended;
    },
    kill: async () => {
      child.kill('SIGTERM');
      await ended.catch(() => {});
    },
  };
}

const endedEarly = (): OperationError =>
  new OperationError({
    code: 'STATEMENT_FAILED',
    message: 'psql ended before it had done all',
    advice: 'Nothing was changed. Run the same command again.',
  });
