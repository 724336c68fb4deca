import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { CommanderError } from 'commander';
import { commands } from '../../src/cli/commands.ts';
import { buildProgram } from '../../src/cli/program.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const { scripts }: { scripts: Record<string, string> } = JSON.parse(
  await readFile(path.join(root, 'package.json'), 'utf8'),
);

/** What a shell makes of a line, as far as docs go: words, quotes, and `&&` between commands. */
export function splitLine(line: string): string[][] {
  const parts: string[][] = [[]];
  for (const [whole, double, single, plain] of line.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)) {
    if (plain === '&&') parts.push([]);
    else parts.at(-1)?.push(double ?? single ?? plain ?? whole);
  }
  return parts;
}

/** What is there beside the files of this project: those that the page shows. */
type Shown = ReadonlySet<string>;

const isThere = (file: string, shown: Shown): boolean =>
  shown.has(file) || existsSync(path.join(root, file.replace('node_modules/multi-pair-db/', '')));

/** Says what is wrong with a command of the docs; undefined where nothing is. */
export async function findFault(line: string, shown: Shown = new Set()): Promise<string | undefined> {
  for (const words of splitLine(line)) {
    const [program = '', ...args] = words.slice(words.findIndex((word) => !/^[A-Z_]+=/.test(word)));
    const isRun = program === 'npx';
    const fault = await checkCommand(isRun ? (args[0] ?? '') : program, isRun ? args.slice(1) : args, shown);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

/** What nobody checks here: programs of others that change no more than the reader's own folder or session. */
const plain = new Set(['cd', 'cp', 'createdb', 'export', 'mkdir', 'vitest', 'tsc']);

async function checkCommand(program: string, args: string[], shown: Shown): Promise<string | undefined> {
  const missing = (file: string | undefined): string | undefined =>
    file !== undefined && isThere(file, shown) ? undefined : `there is no file ${file}`;
  switch (program) {
    case 'multi-pair-db':
      return await parse(args);
    case 'npm':
      return checkNpm(args);
    case 'drizzle-kit': {
      const config = args.find((word) => word.startsWith('--config='))?.slice('--config='.length);
      if (!['check', 'generate', 'migrate'].includes(args[0] ?? '')) return `drizzle-kit has no ${args[0]}`;
      return missing(config ?? 'drizzle.config.ts');
    }
    case 'tsx':
      if (args[0] === 'src/cli/main.ts') return await parse(args.slice(1));
      return missing(args[0]);
    case 'bash':
      return missing(args[0]);
    case 'psql':
      return missing(args[args.indexOf('-f') + 1]);
    default:
      return plain.has(program) ? undefined : `nobody knows ${program}`;
  }
}

function checkNpm([verb = '', ...args]: readonly string[]): string | undefined {
  if (['ci', 'init', 'install', 'pack', 'pkg'].includes(verb)) return undefined;
  const script = verb === 'run' ? args.find((word) => !word.startsWith('-')) : verb;
  return script !== undefined && script in scripts ? undefined : `package.json has no script ${script}`;
}

/** By the parser of the command line itself, which then runs nothing. */
async function parse(args: readonly string[]): Promise<string | undefined> {
  const program = buildProgram(commands, '', async () => {});
  const [name = ''] = args;
  // Asked for the help of a command that it does not know, commander shows that of the program.
  if (!program.commands.some((command) => command.name() === name)) return `there is no command ${name}`;
  for (const command of program.commands) command.configureOutput({ writeOut: () => {}, writeErr: () => {} });
  try {
    await program.parseAsync(args, { from: 'user' });
    return undefined;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return undefined;
    return String(error);
  }
}
