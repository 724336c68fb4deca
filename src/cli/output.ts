import { OperationError } from '../connection/errors.ts';

/** Says what is going on, on standard error: one moving line on a terminal, plain lines elsewhere. */
export interface Progress {
  /** Something that happened: a line that stays. */
  line(text: string): void;
  /** Something that is going on: replaces the one before it; elsewhere a plain line, `plainIntervalMs` apart at least. */
  update(text: string): void;
  /** Takes the moving line away. */
  clear(): void;
}

/** For a terminal that does not tell its width. */
const defaultColumns = 80;

/** In a log file, a build of an hour should take some hundred lines, and not some hundred thousand. */
const plainIntervalMs = 5_000;

/** What of `process.stderr` is needed; a stream that is no terminal has neither `isTTY` nor `columns`. */
export interface ProgressStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): boolean;
}

export function createProgress(stream: ProgressStream, now: () => number = Date.now): Progress {
  const isTerminal = stream.isTTY === true;
  let lastPlainAt = now();
  const clear = (): void => {
    if (isTerminal) stream.write('\r\u001b[2K');
  };
  return {
    clear,
    line: (text) => {
      clear();
      stream.write(`${text}\n`);
    },
    update: (text) => {
      if (isTerminal) {
        stream.write(`\r\u001b[2K${text.slice(0, (stream.columns || defaultColumns) - 1)}`);
      } else if (now() - lastPlainAt >= plainIntervalMs) {
        lastPlainAt = now();
        stream.write(`${text}\n`);
      }
    },
  };
}

/** An error as a person reads it: what, where, what PostgreSQL said, what to do. */
export function formatError(error: OperationError): string {
  const { message, file, line, statement, sqlState, serverMessage, advice } = error;
  const said = serverMessage !== undefined && message.includes(serverMessage) ? undefined : serverMessage;
  const rows: [string, string | undefined][] = [
    ['file', file === undefined ? undefined : line === undefined ? file : `${file}:${line}`],
    ['statement', statement],
    ['SQLSTATE', sqlState],
    ['PostgreSQL', said],
    ['what to do', advice],
  ];
  const body = rows.flatMap(([label, value]) =>
    value === undefined || value === ''
      ? []
      : [`  ${`${label}:`.padEnd(12)}${value.replaceAll('\n', `\n${' '.repeat(14)}`)}`],
  );
  return [`error: ${message}`, ...body].join('\n');
}

/** The one document of `--json`. `bigint` becomes a number or, beyond 2^53, a string. */
export function formatJson(document: object): string {
  return JSON.stringify(
    document,
    (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value),
    2,
  );
}

/** Any error as an `OperationError`. One that is none yet is a fault of ours or of a library, and not of the operator. */
export function unexpected(
  cause: unknown,
  redact: (text: string) => string = (text) => text,
): OperationError {
  if (cause instanceof OperationError) return cause;
  return new OperationError({
    code: 'STATEMENT_FAILED',
    message: `unexpected: ${redact(cause instanceof Error ? cause.message : String(cause))}`,
    advice:
      'This is a fault of multi-pair-db. Run the same command again, and report it with what you did before.',
  });
}

/** For a command that has not ended in good order, and is ended now. */
export function leftBehind(command: string, signal: string): OperationError {
  return new OperationError({
    code: 'INTERRUPTED',
    message: `${command} did not end in good order after ${signal}, and was left`,
    advice:
      'What was committed stays. The server may work on at what was not, until it notices that nobody listens; a file that was being written may be there as FILE.partial, and can be deleted. What is there now: multi-pair-db status',
  });
}
