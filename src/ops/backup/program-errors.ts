import path from 'node:path';
import { OperationError } from '../../connection/errors.ts';

/** What of a run the error speaks of. */
interface FailedRun {
  readonly program: string;
  readonly signal?: AbortSignal | undefined;
  /** Where it writes, for the error when there is no room. */
  readonly writesTo?: string;
}

/** What the messages of the client programs mean; the environment makes them English. */
const meanings = [
  {
    pattern: /no space left on device|file too large|disk quota exceeded/i,
    code: 'OUT_OF_SPACE',
    advice: 'Make room there, or choose another folder. Nothing was left behind.',
  },
  {
    pattern: /other objects depend on it/i,
    code: 'REFUSED',
    advice:
      'What is named above is not in the backup and depends on what would be replaced. Drop it first, or restore into another database with --into.',
  },
  {
    pattern: /must be able to set role|must be member of role|role ".*" does not exist/i,
    code: 'PRIVILEGE_MISSING',
    advice:
      'The backup names an owner that this role can’t give things to. Restore as a superuser or a member of that role, create the role, or give everything to this one with --no-owner.',
  },
  {
    pattern: /permission denied|must be owner|must be superuser/i,
    code: 'PRIVILEGE_MISSING',
    advice: 'Connect as the owner of the tables, or have the owner grant what is missing.',
  },
  {
    pattern: /lock timeout|could not obtain lock/i,
    code: 'LOCKED',
    advice: 'Wait until the work that holds the lock has ended, then run the same command again.',
  },
  {
    pattern: /connection to server .* failed|could not connect|server closed the connection/i,
    code: 'UNREACHABLE',
    advice: 'Check that the server is up, then run the same command again.',
  },
] as const;

/** A program that has failed, as an error that says what to do. */
export function explainProgram(
  { program, signal, writesTo }: FailedRun,
  said: string,
  endedBy: NodeJS.Signals | null,
): OperationError {
  const name = path.basename(program);
  if (signal?.aborted === true) {
    return new OperationError({
      code: 'INTERRUPTED',
      message: `${name} was interrupted`,
      advice:
        endedBy === 'SIGKILL'
          ? 'Its server did not answer, so it was killed. No file was left behind; what it did on the server is rolled back when the server notices. Run the same command again.'
          : 'Nothing was left behind. Run the same command again.',
    });
  }
  const meaning = endedBy === 'SIGXFSZ' ? meanings[0] : meanings.find(({ pattern }) => pattern.test(said));
  return new OperationError({
    code: meaning?.code ?? 'STATEMENT_FAILED',
    message: `${name} failed${meaning?.code === 'OUT_OF_SPACE' && writesTo !== undefined ? `: no room for ${writesTo}` : ''}`,
    advice: meaning?.advice ?? 'Repair the cause, then run the same command again.',
    serverMessage: said,
  });
}
