import { Command, type CommanderError, InvalidArgumentError, type Option } from 'commander';
import {
  type CliCommand,
  type CommandContext,
  type InputOf,
  type InputShape,
  type Outcome,
  readInput,
  type TypedWords,
} from './command.ts';
import { formatExitCodes } from './exit-codes.ts';
import { commonInput } from './shared-input.ts';
import { wrapText } from './terminal/wrap.ts';
import { toUsageError } from './usage.ts';

/** A command line that has been parsed and checked. */
export interface Invocation extends InputOf<typeof commonInput> {
  /** Name of the command. */
  readonly command: string;
  readonly run: (context: CommandContext) => Promise<Outcome>;
}

/** Runs a command that has been parsed. */
export type Dispatch = (invocation: Invocation) => Promise<void>;

const programName = 'multi-pair-db';

/**
 * The whole program for commander: it parses and writes help, and leaves running, printing and exiting to `dispatch`.
 * What is typed wrong is thrown as an `OperationError` `USAGE`; help and version end in a `CommanderError` with exit
 * code 0.
 */
export function buildProgram(commands: readonly CliCommand[], version: string, dispatch: Dispatch): Command {
  const program = new Command(programName)
    .description(
      'Looks after the PostgreSQL database of a multi-pair market maker: migrate it while trading goes on, prove it, undo it.',
    )
    .version(version)
    .exitOverride(refuse(programName))
    // An error is said once, by whoever catches it.
    .configureOutput({ outputError: () => {} });
  addText(program, formatExitCodes({}));
  for (const command of commands) addCommand(program, command, dispatch);
  return program;
}

function addCommand(program: Command, command: CliCommand, dispatch: Dispatch): void {
  const added = program.command(command.name).description(command.summary);
  const readWords = addParameters(added, command);
  const onRefusal = refuse(`${programName} ${command.name}`);
  if (command.notes !== '') addText(added, command.notes.replaceAll('\n', ' '));
  addText(added, formatExitCodes(command.exitCodes));
  added.exitOverride(onRefusal).action(async () => {
    await dispatch(prepare(command, readWords(), onRefusal));
  });
}

/** As wide as what commander writes itself, where nobody sees a terminal, too. */
const helpColumns = 80;

/** Adds what stands after the options. Commander does not wrap it. */
function addText(command: Command, text: string): void {
  command.addHelpText('after', ({ error }) => {
    const { getErrHelpWidth, getOutHelpWidth } = command.configureOutput();
    return `\n${wrapText(text, (error ? getErrHelpWidth : getOutHelpWidth)?.() ?? helpColumns)}`;
  });
}

function prepare(
  command: CliCommand,
  words: TypedWords,
  onRefusal: (error: CommanderError) => never,
): Invocation {
  try {
    const run = command.prepare(words);
    return { ...readInput(commonInput, words), command: command.name, run };
  } catch (error) {
    if (error instanceof InvalidArgumentError) onRefusal(error);
    throw error;
  }
}

/** Adds what is declared, and gives back how to read what was typed for it, by the declared names. */
function addParameters(added: Command, { input, exclusive }: CliCommand): () => TypedWords {
  const shape: InputShape = { ...input, ...commonInput };
  const options = new Map<PropertyKey, Option>();
  const readers = new Map<string, () => unknown>();
  let position = 0;
  for (const [name, parameter] of Object.entries(shape)) {
    if (parameter.kind === 'argument') {
      const index = position++;
      added.addArgument(parameter.create());
      readers.set(name, () => added.processedArgs[index]);
    } else {
      const option = parameter.create();
      options.set(name, option);
      readers.set(name, () => added.getOptionValue(option.attributeName()));
    }
  }
  for (const names of exclusive) excludeEachOther(names.flatMap((name) => options.get(name) ?? []));
  for (const option of options.values()) added.addOption(option);
  return () => new Map([...readers].map(([name, read]) => [name, read()]));
}

function excludeEachOther(options: readonly Option[]): void {
  for (const option of options) {
    const others = options.filter((other) => other !== option);
    option.conflicts(others.map((other) => other.attributeName()));
  }
}

/** What is wrong with the command line, as an error that names the help to look at. */
function refuse(command: string): (error: CommanderError) => never {
  return (error) => {
    throw error.exitCode === 0 ? error : toUsageError(error, command);
  };
}
