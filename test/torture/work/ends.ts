import type { Command } from './command.ts';
import type { JobEnd } from './process.ts';

/** How a command may end. */
export interface Leave {
  /** It was ended by a signal. */
  readonly bySignal: boolean;
  /** With what it says of its failures. */
  readonly byFailure: boolean;
  /** With a deadlock: a service has started beside a build of a runner that steps back for nobody. */
  readonly byDeadlock: boolean;
  /** Of those only with a refusal, in words that say what is in the way. Of the programs of others that is not asked. */
  readonly onlyRefused: boolean;
}

/** Words that no command may say: it has met what nobody thought of. */
const ownFault = /This is a fault of multi-pair-db|unexpected:/;

/** What is wrong with how a command has ended; undefined: nothing. */
export function findOddEnd({ exitCode, output }: JobEnd, command: Command, leave: Leave): string | undefined {
  const said = output.trim().split('\n').slice(-8).join('\n');
  if (ownFault.test(output)) return `${command.name} has met a fault of its own:\n${said}`;
  if (exitCode === 0) return undefined;
  const isUnchecked = exitCode === 1 && command.unchecked?.test(output) === true;
  const mayFail = leave.byFailure || (leave.byDeadlock && /deadlock detected/.test(output));
  const isFine =
    exitCode === undefined
      ? leave.bySignal
      : mayFail && (isUnchecked || command.mayFailWith.includes(exitCode));
  if (!isFine) return `${command.name} has ended with ${exitCode ?? 'a signal'}:\n${said}`;
  if (!leave.onlyRefused || command.refusals === undefined || exitCode === undefined) return undefined;
  if (command.refusals[exitCode]?.test(output) === true) return undefined;
  return `${command.name} has ended with ${exitCode}, and may only refuse:\n${said}`;
}
