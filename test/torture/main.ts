/**
 * npm run torture -- --faults N --seed S [--pg 15|16|17|18] [--print] [--from STEP] [--out FILE] [--sabotage NAME|all]
 *
 * A database with old and new services at work, on which migrate, rollback, dedupe, backup and restore run again and again,
 * while a schedule made of the seed throws faults. What must hold after each is checked; the first that does not ends the
 * run, and the report says how to see it again: --from begins with a step of the schedule, on a database that is brought
 * there. --out writes what was seen as JSON. With --sabotage it is run on a copy of the package with a fault of our own planted in it, which has to be found.
 *
 * Exit code 0: nothing is broken, or with `--sabotage all` every one was found; 1: something is, or one was not found;
 * 2: wrong usage; 3: the torture could not go on.
 */
import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { faults } from './faults/index.ts';
import { type Options, readOptions } from './options.ts';
import { formatSummary, summarize, type WrittenReport } from './report.ts';
import { openTheatre, runTorture, stopping } from './run.ts';
import { proveSabotages } from './sabotage/prove.ts';
import { formatStep, makeSchedule } from './schedule.ts';
import { commands } from './work/index.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const say = (line: string): void => console.log(line);

async function torture({ version, seed, faults: wanted, firstStep }: Options): Promise<WrittenReport> {
  const startedAtMs = Date.now();
  await using theatre = await openTheatre(version);
  const run = await runTorture(theatre, {
    seed,
    faults: wanted,
    commands,
    kinds: faults,
    tried: { root },
    firstStep,
    say,
  });
  return summarize(run, { version, seed, startedAtMs });
}

async function main(options: Options): Promise<boolean> {
  if (options.print) {
    const schedule = makeSchedule(options.seed, commands, faults);
    for (let n = 0; n < options.faults; n++) say(formatStep(schedule.next().value));
    return true;
  }
  // The command line is tried as it is published.
  if (!process.env['TEST_BUILT'])
    execFileSync('npm', ['run', '-s', 'build'], { cwd: root, stdio: 'inherit' });
  if (options.sabotage !== undefined) return proveSabotages(root, options, say);
  const report = await torture(options);
  if (options.out !== undefined) await writeFile(options.out, `${JSON.stringify(report, null, 2)}\n`);
  say(formatSummary(report));
  return report.broken === undefined;
}

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => {
    if (stopping.signal.aborted) process.exit(3);
    console.error(`${signal}: the torture ends after this step (again: at once, and leaves its server)`);
    stopping.abort();
  });

try {
  process.exit((await main(readOptions(process.argv.slice(2)))) ? 0 : 1);
} catch (error) {
  // Nothing was found: it is the torture that could not go on.
  console.error(error);
  process.exit(3);
}
