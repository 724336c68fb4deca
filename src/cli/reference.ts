import type { Command } from 'commander';
import type { CliCommand } from './command.ts';
import { commands } from './commands.ts';
import { buildProgram } from './program.ts';

/** The command reference of the README: what `--help` prints, of the program and of each command. */
export function commandReference(listed: readonly CliCommand[] = commands): string {
  const program = buildProgram(listed, '', async () => {});
  return [
    [
      '```',
      'multi-pair-db <command> [options]',
      '',
      ...listed.map(({ name, summary }) => `  ${name.padEnd(12)}${summary}`),
      '```',
    ].join('\n'),
    ...listed.map(({ name }) => {
      const command = program.commands.find((candidate) => candidate.name() === name);
      return command === undefined ? '' : `### \`${name}\`\n\n\`\`\`\n${readHelp(command)}\n\`\`\``;
    }),
  ].join('\n\n');
}

/** Help as `--help` prints it, exit codes included: `helpInformation` leaves out what is added after it. */
function readHelp(command: Command): string {
  let text = '';
  command.configureOutput({
    writeOut: (part) => {
      text += part;
    },
    // Whoever runs it in a wider terminal gets the same text.
    getOutHelpWidth: () => 100,
    getOutHasColors: () => false,
  });
  command.outputHelp();
  return text.trim();
}
