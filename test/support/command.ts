import type { Outcome } from '../../src/cli/command.ts';
import { commands } from '../../src/cli/commands.ts';

/** Runs a command of the command line in this process: what it answers, without what starting a process costs. */
export function runCommand(
  name: string,
  url: string,
  { args = [], options = {} }: { args?: readonly string[]; options?: Record<string, unknown> } = {},
): Promise<Outcome> {
  const command = commands.find((candidate) => candidate.name === name);
  if (command === undefined) throw new Error(`no command ${name}`);
  const silent = { line: () => {}, update: () => {}, clear: () => {} };
  return command.run({ url, signal: new AbortController().signal, progress: silent }, { args, options });
}
