/**
 * npm run torture -- --faults N --seed S [--pg 15|16|17|18] [--print] [--out FILE]
 *
 * A database with old and new services at work, on which migrate, rollback, dedupe, backup and restore run again and again,
 * while a schedule made of the seed throws faults. What must hold after each is checked; the first that does not ends the
 * run. Exit code 0: nothing is broken; 1: something is; 2: wrong usage.
 */
import { fileURLToPath } from 'node:url';
import { faults } from './faults/index.ts';
import { readOptions } from './options.ts';
import { runTorture } from './run.ts';
import { formatStep, makeSchedule } from './schedule.ts';
import { commands } from './work/index.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const options = readOptions(process.argv.slice(2));
if (options.print) {
  const schedule = makeSchedule(options.seed, commands, faults);
  for (let n = 0; n < options.faults; n++) console.log(formatStep(schedule.next().value));
} else {
  const { steps, broken } = await runTorture({
    version: options.version,
    seed: options.seed,
    faults: options.faults,
    commands,
    kinds: faults,
    tried: { root },
    say: (line) => console.log(line),
  });
  const held = steps.filter(({ outcome }) => outcome === 'held').length;
  console.log(broken === undefined ? `${held} faults, nothing broken` : 'BROKEN');
  process.exitCode = broken === undefined ? 0 : 1;
}
