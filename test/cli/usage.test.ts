import { expect, test } from 'vitest';
import { type CommandContext, defineCommand } from '../../src/cli/command.ts';
import { argument, flag, optionalArgument, value, valueWithDefault } from '../../src/cli/parameters.ts';
import { age, seconds, text, wholeNumber } from '../../src/cli/parsers.ts';
import { buildProgram } from '../../src/cli/program.ts';
import { runCommand } from '../support/command.ts';

const usage = (message: unknown, advice: unknown = expect.any(String)) =>
  expect.objectContaining({ name: 'OperationError', code: 'USAGE', exitCode: 2, message, advice });

test.each([
  ['dedupe --batch 0', "--batch has to be a whole number from 1 to 10,000, and not '0'"],
  ['dedupe --batch 10001', "--batch has to be a whole number from 1 to 10,000, and not '10001'"],
  ['dedupe --batch 1.5', "--batch has to be a whole number from 1 to 10,000, and not '1.5'"],
  ['dedupe --dry-run --undo', "option '--dry-run' cannot be used with option '--undo'"],
  ['dedupe --undo --dry-run', "option '--dry-run' cannot be used with option '--undo'"],
  ['dedupe --undo --without-venue-id', expect.stringContaining('cannot be used with option')],
  ['duplicates --samples 1001', "--samples has to be a whole number from 0 to 1,000, and not '1001'"],
  ['migrate --lock-wait soon', "--lock-wait has to be a number of seconds from 0 to 604,800, and not 'soon'"],
  ['migrate --max-wait 604801', expect.stringContaining('--max-wait has to be a number of seconds')],
  ['verify --time-limit -1', expect.stringContaining('--time-limit has to be a number of seconds')],
  ['migrate --require-backup 24', "--require-backup has to be an age such as 90m, 24h or 7d, and not '24'"],
  ['restore --into db', "missing required argument 'file'"],
  ['rollback', "missing required argument 'migration'"],
  ['migrate --sql --url pglite:none', '--sql goes with --dry-run'],
  ['migrate --out plan.json --url pglite:none', '--out goes with --dry-run'],
  ['migrate 001 --plan plan.json --url pglite:none', expect.stringContaining('a plan says itself')],
  ['maintain shrink', expect.stringContaining('Allowed choices are analyze, vacuum, reindex')],
  ['status --frobnicate', "unknown option '--frobnicate'"],
])('%s: refused before any database is looked for', async (line, message) => {
  const words = line.split(' ');
  await expect(runCommand(words)).rejects.toEqual(
    usage(message, `\`multi-pair-db ${words[0]} --help\` shows what is right.`),
  );
});

test('an empty value is refused: it comes from a variable that is not set', async () => {
  await expect(runCommand(['backup', '--dir', ''])).rejects.toEqual(
    usage("--dir has to be a text that is not empty, and not ''"),
  );
  await expect(runCommand(['rollback', '', '--url', 'pglite:x'])).rejects.toEqual(
    usage("migration has to be a text that is not empty, and not ''"),
  );
  await expect(runCommand(['status', '--url', ''])).rejects.toEqual(
    usage(expect.stringContaining('--url has to be')),
  );
});

test.each([
  ['postgres://me:hunter2@host/db'],
  ['status', '--urll=postgres://me:hunter2@host/db'],
  ['status', '--urll=postgres://host/db?user=me&password=hunter2'],
  ['maintain', 'postgres://me:hunter2@host/db'],
  ['dedupe', '--batch', 'postgres://me:hunter2@host/db'],
])('a URL in a wrong place is quoted without its password: %s %s', async (...words) => {
  const error: unknown = await runCommand(words).catch((cause: unknown) => cause);
  expect(error).toEqual(usage(expect.stringContaining('postgres://')));
  expect(String(error) + JSON.stringify(error)).not.toContain('hunter2');
});

/** What `run` gets for a command line. */
async function read(...words: string[]): Promise<unknown> {
  const command = defineCommand({
    name: 'sample',
    summary: '',
    exitCodes: {},
    input: {
      first: argument('<first>', '', text),
      isDryRun: flag('--dry-run', ''),
      withoutOwners: flag('--no-owner', ''),
      second: optionalArgument('[second]', '', text),
      batchRows: valueWithDefault('--batch <rows>', '', wholeNumber(1, 10), '5'),
      waitMs: valueWithDefault('--wait <seconds>', '', seconds, '0.25'),
      maxAgeMs: value('--max-age <age>', '', age),
    },
    exclusive: [['isDryRun', 'batchRows']],
    run: async (_, input) => ({ exitCode: 0, result: input, text: '' }),
  });
  const context: CommandContext = {
    url: '',
    signal: new AbortController().signal,
    release: '0.0.0',
    progress: { line: () => {}, update: () => {}, clear: () => {}, share: undefined },
  };
  const results: object[] = [];
  const program = buildProgram([command], '', async ({ run }) => {
    results.push((await run(context)).result);
  });
  await program.parseAsync(['sample', ...words], { from: 'user' });
  return results[0];
}

test('values, defaults and what is absent come under their declared names', async () => {
  const absent = {
    first: 'a',
    second: undefined,
    isDryRun: false,
    withoutOwners: false,
    batchRows: 5,
    waitMs: 250,
    maxAgeMs: undefined,
  };
  expect(await read('a')).toStrictEqual(absent);
  // A default is no choice of the operator's: it excludes nothing.
  expect(await read('a', '--dry-run')).toStrictEqual({ ...absent, isDryRun: true });
  expect(await read('--no-owner', 'a', '--batch=10', 'b', '--wait', '0', '--max-age', '2h')).toStrictEqual({
    ...absent,
    second: 'b',
    withoutOwners: true,
    batchRows: 10,
    waitMs: 0,
    maxAgeMs: 7_200_000,
  });
  await expect(read('a', '--dry-run', '--batch', '5')).rejects.toEqual(usage(expect.anything()));
});

test('a default that its own parser refuses is found when the command is declared', () => {
  expect(() => valueWithDefault('--batch <rows>', '', wholeNumber(1, 10), '0')).toThrow(
    "--batch has to be a whole number from 1 to 10, and not '0'",
  );
});
