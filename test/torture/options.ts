import { parseArgs } from 'node:util';
import { allServerVersions, type ServerVersion } from '../support/server.ts';

export interface Options {
  readonly faults: number;
  readonly seed: number;
  readonly version: ServerVersion;
  readonly print: boolean;
  readonly out: string | undefined;
  readonly sabotage: string | undefined;
  /** Begins with this step of the schedule. */
  readonly firstStep: number | undefined;
}

/** Reads the command line; whatever is wrong with it ends the program with 2. */
export function readOptions(args: readonly string[]): Options {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        faults: { type: 'string', default: '20' },
        seed: { type: 'string', default: '1' },
        pg: { type: 'string', default: '18' },
        print: { type: 'boolean', default: false },
        out: { type: 'string' },
        sabotage: { type: 'string' },
        from: { type: 'string' },
      },
    });
    const version = allServerVersions.find((known) => String(known) === values.pg);
    if (version === undefined) throw new Error(`--pg is one of ${allServerVersions.join(', ')}`);
    return {
      faults: toCount('--faults', values.faults),
      seed: toCount('--seed', values.seed),
      version,
      print: values.print,
      out: values.out,
      sabotage: values.sabotage,
      firstStep: values.from === undefined ? undefined : toCount('--from', values.from),
    };
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exit(2);
  }
}

function toCount(name: string, text: string): number {
  const count = Number(text);
  if (!Number.isSafeInteger(count) || count < 1) throw new Error(`${name} is a whole number from 1`);
  return count;
}
