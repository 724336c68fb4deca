import type { CommandContext, Outcome } from '../../src/cli/command.ts';
import { commands } from '../../src/cli/commands.ts';
import { readUrl } from '../../src/cli/database-url.ts';
import { buildProgram } from '../../src/cli/program.ts';

/**
 * Runs a command line in this process: parsed as in a terminal, without what starting a process costs.
 *
 * @throws OperationError where a process would end with an exit code above 1
 */
export async function runCommand(
  words: readonly string[],
  context: Partial<Pick<CommandContext, 'ask' | 'progress'>> = {},
): Promise<Outcome> {
  const progress = { line: () => {}, update: () => {}, clear: () => {}, share: undefined };
  const outcomes: Outcome[] = [];
  const program = buildProgram(commands, '', async ({ url, run }) => {
    outcomes.push(
      await run({
        url: readUrl(url),
        release: '0.0.0',
        signal: new AbortController().signal,
        progress,
        ...context,
      }),
    );
  });
  await program.parseAsync(words, { from: 'user' });
  const [outcome] = outcomes;
  if (outcome === undefined) throw new Error(`${words.join(' ')} has run nothing`);
  return outcome;
}
