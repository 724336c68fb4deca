import { OperationError } from '../connection/errors.ts';

/** An error as a person reads it: what, where, what PostgreSQL said, what to do. */
export function formatError({
  message,
  file,
  line,
  statement,
  sqlState,
  serverMessage,
  advice,
}: OperationError): string {
  const said = serverMessage !== undefined && message.includes(serverMessage) ? undefined : serverMessage;
  return formatFacts(`error: ${message}`, [
    ['file', file === undefined ? undefined : line === undefined ? file : `${file}:${line}`],
    ['statement', statement],
    ['SQLSTATE', sqlState],
    ['PostgreSQL', said],
    ['what to do', advice],
  ]);
}

/**
 * A run that the operator has stopped himself is no error to be searched for.
 *
 * @param share of the whole that was done
 */
export function formatStop({ message, advice }: OperationError, share: number): string {
  const where = `Stopped at your request at ${Math.floor(share * 100)} %.`;
  return formatFacts(`${where} Nothing is lost; run the same command again.`, [
    ['what was', message],
    ['what is', advice],
  ]);
}

function formatFacts(
  first: string,
  rows: readonly (readonly [label: string, text: string | undefined])[],
): string {
  const body = rows.flatMap(([label, text]) =>
    text === undefined || text === ''
      ? []
      : [`  ${`${label}:`.padEnd(12)}${text.replaceAll('\n', `\n${' '.repeat(14)}`)}`],
  );
  return [first, ...body].join('\n');
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
