import type { Command } from 'commander';
import type { Progress } from './output.ts';

/** What a command gets from the program, beside its own arguments and options. */
export interface CommandContext {
  /** The database that the operator means. */
  readonly url: string;
  /** Aborted by Ctrl-C and SIGTERM. */
  readonly signal: AbortSignal;
  /** Where to say what is going on; never standard output. */
  readonly progress: Progress;
}

/** What a command has found or done. It is printed by the program, as text or as JSON. */
export interface Outcome {
  /** 0 done, or nothing to say; 1 the check found something. Everything else is an `OperationError`. */
  readonly exitCode: 0 | 1;
  /** For `--json`: plain data. */
  readonly result: object;
  /** For a person; may have several lines. */
  readonly text: string;
}

/** One command: parse → typed function → outcome. One file each, listed in `commands.ts`. */
export interface CliCommand {
  /** Its name; arguments are added in `configure`. */
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /**
   * What each exit code means here, where it says more than `exitCodes` does; null: it never ends so.
   * Shown by `--help`.
   */
  readonly exitCodes: Partial<Record<ExitCode, string | null>>;
  /** Adds arguments and options, if it has any. */
  readonly configure?: (command: Command) => void;
  /** `input` holds the arguments by position and the options by name, as commander read them. */
  readonly run: (context: CommandContext, input: CommandInput) => Promise<Outcome>;
}

export interface CommandInput {
  readonly args: readonly string[];
  readonly options: Readonly<Record<string, unknown>>;
}

/** What every command's exit codes mean, unless the command says it more exactly. */
export const exitCodes = {
  0: 'done, or nothing to say',
  1: 'the check found something',
  2: 'wrong usage',
  3: 'the database can’t be reached, or a privilege is missing',
  4: 'refused for safety',
  5: 'a statement failed, or the work was interrupted',
} as const;

export type ExitCode = keyof typeof exitCodes;
