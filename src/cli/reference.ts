import type { Command } from 'commander';
import type { CliCommand } from './command.ts';
import { commands } from './commands.ts';
import { buildProgram } from './program.ts';

/** The list of the README: a line a command. */
export function commandList(listed: readonly CliCommand[] = commands): string {
  return ['```', ...listed.map(({ name, summary }) => `${name.padEnd(12)}${summary}`), '```'].join('\n');
}

/** The page `docs/cli.md`: what `--help` prints, of the program and of each command. */
export function commandReference(listed: readonly CliCommand[] = commands): string {
  const program = buildProgram(listed, '', async () => {});
  return [
    '# The command line',
    'What `--help` prints, of the program and of each command. [operator.md](operator.md) says when to run which, and what it then prints.',
    formatHelp(program),
    ...program.commands
      .filter((command) => listed.some(({ name }) => name === command.name()))
      .map((command) => `## \`${command.name()}\`\n\n${formatHelp(command)}`),
  ].join('\n\n');
}

/** Help as `--help` prints it, exit codes included: `helpInformation` leaves out what is added after it. */
function formatHelp(command: Command): string {
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
  return `\`\`\`\n${text.trim()}\n\`\`\``;
}
