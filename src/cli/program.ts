import { Command } from 'commander';
import { type CliCommand, type CommandInput, exitCodes } from './command.ts';

/** Runs a command that has been parsed. */
export type Dispatch = (command: CliCommand, input: CommandInput) => Promise<void>;

/** The whole program for commander: it parses and writes help, and leaves running, printing and exiting to `dispatch`. */
export function buildProgram(commands: readonly CliCommand[], version: string, dispatch: Dispatch): Command {
  const program = new Command('multi-pair-db')
    .description(
      'Looks after the PostgreSQL database of a multi-pair market maker: migrate it while trading goes on, prove it, undo it.',
    )
    .version(version)
    .exitOverride()
    .addHelpText('after', `\n${exitCodeHelp({})}`);
  for (const command of commands) addCommand(program, command, dispatch);
  return program;
}

function addCommand(program: Command, command: CliCommand, dispatch: Dispatch): void {
  const added = program.command(command.name).description(command.summary);
  command.configure?.(added);
  added
    .option(
      '--url <url>',
      'the database: postgres://…, or pglite:DIR (default: DATABASE_URL, also from .env)',
    )
    .option('--json', 'print one JSON document on standard output, and nothing else')
    .addHelpText('after', `\n${exitCodeHelp(command.exitCodes)}`)
    .action(async () => {
      const args = added.processedArgs.filter((argument): argument is string => typeof argument === 'string');
      await dispatch(command, { args, options: added.opts() });
    });
}

function exitCodeHelp(own: CliCommand['exitCodes']): string {
  const lines = Object.entries({ ...exitCodes, ...own }).flatMap(([code, meaning]) =>
    meaning === null ? [] : [`  ${code}  ${meaning}`],
  );
  return ['Exit codes:', ...lines].join('\n');
}
