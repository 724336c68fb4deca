import type { CommanderError } from 'commander';
import { OperationError } from '../connection/errors.ts';
import { createRedactor } from '../connection/url.ts';

/**
 * What commander or a parser has refused, as the one error of this program. A URL that was typed in a wrong place is
 * quoted without its password.
 */
export function toUsageError({ code, message }: CommanderError, command: string): OperationError {
  return new OperationError({
    code: 'USAGE',
    message:
      code === 'commander.help'
        ? 'no known command is given'
        : createRedactor(message)(message).replace(/^error: /, ''),
    advice: `\`${command} --help\` shows what is right.`,
  });
}
