import type { OwnExitCodes } from './exit-codes.ts';
import type { OptionParameter, Parameter } from './parameters.ts';
import type { Progress } from './terminal/progress.ts';

/** What a command gets from the program, beside its own arguments and options. */
export interface CommandContext {
  /** The database that the operator means. */
  readonly url: string;
  /** Version of this package. */
  readonly release: string;
  /** Aborted by Ctrl-C and SIGTERM. */
  readonly signal: AbortSignal;
  /** Where to say what is going on; never standard output. */
  readonly progress: Progress;
  /** Asks who sits at the terminal. Undefined where nobody does, and with `--json`. */
  readonly ask?: Ask;
}

/** Shows a question and gives what was typed, without the spaces around it; empty where the terminal was closed. */
export type Ask = (question: string) => Promise<string>;

/** What a command has found or done. It is printed by the program, as text or as JSON. */
export interface Outcome {
  /** 0 done, or nothing to say; 1 the check found something. Everything else is an `OperationError`. */
  readonly exitCode: 0 | 1;
  /** For `--json`: plain data. */
  readonly result: object;
  /** For a person; may have several lines. */
  readonly text: string;
}

/** The arguments and options of a command, each under the name that `run` knows it by. */
export type InputShape = Readonly<Record<string, Parameter<unknown>>>;

/** What `run` gets: the type of each value comes from its declaration. */
export type InputOf<Shape extends InputShape> = {
  readonly [Name in keyof Shape]: Shape[Name] extends Parameter<infer Value> ? Value : never;
};

/** A command that declares nothing gets nothing, and not a record of anything. */
type NoInput = Readonly<Record<never, never>>;

type OptionNames<Shape extends InputShape> = {
  [Name in keyof Shape]: Shape[Name] extends OptionParameter<unknown> ? Name : never;
}[keyof Shape];

/** One command: parse → typed function → outcome. One file each, listed in `commands.ts`. */
export interface CommandDefinition<Shape extends InputShape> {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** Shown by `--help`. */
  readonly exitCodes: OwnExitCodes;
  /** More for `--help`, between the options and the exit codes. */
  readonly notes?: string;
  /** Its arguments and options; `--url` and `--json` are every command's. */
  readonly input?: Shape;
  /** Options of which only one may be given. */
  readonly exclusive?: readonly (readonly NoInfer<OptionNames<Shape>>[])[];
  readonly run: (context: CommandContext, input: InputOf<Shape>) => Promise<Outcome>;
}

/** A command as the program handles it, which does not know what any of them declares. */
export interface CliCommand {
  readonly name: string;
  readonly summary: string;
  readonly exitCodes: OwnExitCodes;
  readonly notes: string;
  readonly input: InputShape;
  readonly exclusive: readonly (readonly PropertyKey[])[];
  /**
   * Checks what was typed, and gives back the run, which has not begun.
   *
   * @throws InvalidArgumentError where a value is not what its parameter expects
   */
  readonly prepare: (typed: TypedWords) => (context: CommandContext) => Promise<Outcome>;
}

/** What commander has found for each parameter, by the parameter's name. */
export type TypedWords = ReadonlyMap<string, unknown>;

/**
 * Declares a command.
 *
 * @example
 * export const duplicates = defineCommand({
 *   name: 'duplicates',
 *   summary: 'fills that the unique index would refuse',
 *   exitCodes: { 0: 'no fill is stored twice', 1: 'some are' },
 *   input: { samples: valueWithDefault('--samples <count>', 'how many groups to show', wholeNumber(0, 1_000), '20') },
 *   run: async ({ url }, { samples }) => …, // samples is a number
 * });
 */
export function defineCommand<const Shape extends InputShape = NoInput>(
  definition: CommandDefinition<Shape>,
): CliCommand {
  const { name, summary, exitCodes, notes = '', input, exclusive = [], run } = definition;
  return {
    name,
    summary,
    exitCodes,
    notes,
    input: input ?? {},
    exclusive,
    prepare: (typed) => {
      const values = readInput(input, typed);
      return (context) => run(context, values);
    },
  };
}

/** Reads every declared parameter. */
export function readInput<Shape extends InputShape>(
  shape: Shape | undefined,
  typed: TypedWords,
): InputOf<Shape> {
  const values = Object.entries(shape ?? {}).map(
    ([name, parameter]) => [name, parameter.read(typed.get(name))] as const,
  );
  // The only cast. TypeScript can't follow an object that is made name by name; each value under a name comes from the
  // `read` that is declared under this name, and `read` has checked at run time what it gives back.
  return Object.fromEntries(values) as InputOf<Shape>;
}
