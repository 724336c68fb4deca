import { expectTypeOf, test } from 'vitest';
import { type CliCommand, defineCommand, type InputOf, type Outcome } from '../../src/cli/command.ts';
import {
  argument,
  choiceArgument,
  flag,
  optionalArgument,
  requiredValue,
  value,
  valueWithDefault,
} from '../../src/cli/parameters.ts';
import { age, text, wholeNumber } from '../../src/cli/parsers.ts';
import { waitInput } from '../../src/cli/shared-input.ts';

const described = { name: 'sample', summary: 'a sample', exitCodes: {} };
const nothing: Outcome = { exitCode: 0, result: {}, text: '' };

test('what a command declares is what its run gets', () => {
  const command = defineCommand({
    ...described,
    input: {
      action: choiceArgument('<action>', '', ['analyze', 'vacuum']),
      file: argument('<file>', '', text),
      name: optionalArgument('[name]', '', text),
      isDryRun: flag('--dry-run', ''),
      isUndo: flag('--undo', ''),
      into: requiredValue('--into <database>', '', text),
      maxAgeMs: value('--max-age <age>', '', age),
      batchRows: valueWithDefault('--batch <rows>', '', wholeNumber(1, 10), '5'),
      ...waitInput,
    },
    exclusive: [['isDryRun', 'isUndo', 'maxAgeMs']],
    run: async (context, input) => {
      expectTypeOf(context.url).toBeString();
      expectTypeOf(input).toEqualTypeOf<{
        readonly action: 'analyze' | 'vacuum';
        readonly file: string;
        readonly name: string | undefined;
        readonly isDryRun: boolean;
        readonly isUndo: boolean;
        readonly into: string;
        readonly maxAgeMs: number | undefined;
        readonly batchRows: number;
        readonly lockWaitMs: number;
        readonly maxWaitMs: number;
      }>();
      return nothing;
    },
  });
  expectTypeOf(command).toEqualTypeOf<CliCommand>();
  expectTypeOf<InputOf<typeof waitInput>>().toEqualTypeOf<{
    readonly lockWaitMs: number;
    readonly maxWaitMs: number;
  }>();
});

test('what is not declared does not type-check', () => {
  const input = {
    file: argument('<file>', '', text),
    isUndo: flag('--undo', ''),
    samples: value('--samples <count>', '', wholeNumber(0, 10)),
  };
  const report = (result: object): Outcome => ({ ...nothing, result });
  // @ts-expect-error: there is no such option
  defineCommand({ ...described, input, run: async (_, { isDryRun }) => report({ isDryRun }) });
  // @ts-expect-error: a command that declares nothing gets nothing
  defineCommand({ ...described, run: async (_, { isUndo }) => report({ isUndo }) });
  defineCommand({
    ...described,
    input,
    run: async (_, { samples, isUndo }) => {
      // @ts-expect-error: without a default it may be absent
      expectTypeOf(samples.toFixed()).toBeString();
      // @ts-expect-error: a switch is no text
      expectTypeOf(isUndo.length).toBeNumber();
      return nothing;
    },
  });
  // @ts-expect-error: a command can't exclude an option that it has not
  defineCommand({ ...described, input, exclusive: [['isUndo', 'isDryRun']], run: async () => nothing });
  // @ts-expect-error: an argument is no option
  defineCommand({ ...described, input, exclusive: [['isUndo', 'file']], run: async () => nothing });
  // @ts-expect-error: an option is no bare value
  defineCommand({ ...described, input: { file: 'x' }, run: async () => nothing });
});

test('flags of the wrong form do not type-check', () => {
  // @ts-expect-error: an option begins with two dashes
  flag('undo', '');
  // @ts-expect-error: an option with a value names it
  value('--batch', '', text);
  // @ts-expect-error: what may be left out stands in square brackets
  optionalArgument('<file>', '', text);
  // @ts-expect-error: a default is written as it would be typed
  valueWithDefault('--batch <rows>', '', wholeNumber(1, 10), 5);
});
