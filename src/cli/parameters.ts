import { Argument, InvalidArgumentError, Option } from 'commander';
import type { Parser } from './parsers.ts';

/**
 * An argument or an option, as a command declares it. commander finds its text among the words of the command line;
 * `read` turns that text into the value that `run` gets. Nothing is taken on trust: commander's values have no type.
 */
export type Parameter<Value> = ArgumentParameter<Value> | OptionParameter<Value>;

export interface ArgumentParameter<Value> {
  readonly kind: 'argument';
  /** A new one each time: commander changes what it is given. */
  readonly create: () => Argument;
  /** @throws InvalidArgumentError where the text is not what is expected */
  readonly read: (raw: unknown) => Value;
}

export interface OptionParameter<Value> {
  readonly kind: 'option';
  /** A new one each time: commander changes what it is given. */
  readonly create: () => Option;
  /** @throws InvalidArgumentError where the text is not what is expected */
  readonly read: (raw: unknown) => Value;
}

type Flag = `--${string}`;
type FlagWithValue = `--${string} <${string}>`;

/** A switch: true where it is given, also where it is called `--no-…`. */
export function flag(flags: Flag, summary: string): OptionParameter<boolean> {
  const given = !new Option(flags).negate;
  return { kind: 'option', create: () => new Option(flags, summary), read: (raw) => raw === given };
}

/** An option with a value; undefined where it is not given. */
export function value<Value>(
  flags: FlagWithValue,
  summary: string,
  parser: Parser<Value>,
): OptionParameter<Value | undefined> {
  return {
    kind: 'option',
    create: () => new Option(flags, summary),
    read: (raw) => (raw === undefined ? undefined : parseText(flags, raw, parser)),
  };
}

/** An option with a value that has to be given. */
export function requiredValue<Value>(
  flags: FlagWithValue,
  summary: string,
  parser: Parser<Value>,
): OptionParameter<Value> {
  return {
    kind: 'option',
    create: () => new Option(flags, summary).makeOptionMandatory(),
    read: (raw) => parseText(flags, raw, parser),
  };
}

/**
 * An option with a value and a default. The default is written as an operator would type it: `--help` shows it so, and
 * it goes through the same parser. One that the parser refuses is found when the program is loaded, thus by any test.
 */
export function valueWithDefault<Value>(
  flags: FlagWithValue,
  summary: string,
  parser: Parser<Value>,
  typedDefault: string,
): OptionParameter<Value> {
  parseText(flags, typedDefault, parser);
  return {
    kind: 'option',
    create: () => new Option(flags, summary).default(typedDefault, typedDefault),
    read: (raw) => parseText(flags, raw, parser),
  };
}

/** An argument that has to be given. Arguments are taken in the order in which they are declared. */
export function argument<Value>(
  name: `<${string}>`,
  summary: string,
  parser: Parser<Value>,
): ArgumentParameter<Value> {
  return {
    kind: 'argument',
    create: () => new Argument(name, summary),
    read: (raw) => parseText(name, raw, parser),
  };
}

/** An argument that may be left out; undefined then. */
export function optionalArgument<Value>(
  name: `[${string}]`,
  summary: string,
  parser: Parser<Value>,
): ArgumentParameter<Value | undefined> {
  return {
    kind: 'argument',
    create: () => new Argument(name, summary),
    read: (raw) => (raw === undefined ? undefined : parseText(name, raw, parser)),
  };
}

/** An argument that is one of a few words, which `--help` lists. */
export function choiceArgument<const Choice extends string>(
  name: `<${string}>`,
  summary: string,
  choices: readonly Choice[],
): ArgumentParameter<Choice> {
  const parser = {
    expected: `one of ${choices.join(', ')}`,
    parse: (typed: string) => choices.find((choice) => choice === typed),
  };
  return {
    kind: 'argument',
    create: () => new Argument(name, summary).choices(choices),
    read: (raw) => parseText(name, raw, parser),
  };
}

function parseText<Value>(label: string, raw: unknown, parser: Parser<Value>): Value {
  const parsed = typeof raw === 'string' ? parser.parse(raw) : undefined;
  if (parsed !== undefined) return parsed;
  throw new InvalidArgumentError(`${nameOf(label)} has to be ${parser.expected}, and not '${String(raw)}'`);
}

/** `--batch` of `--batch <rows>`, `file` of `<file>`. */
const nameOf = (label: string): string => (label.split(' ')[0] ?? label).replace(/[<>[\]]/g, '');
