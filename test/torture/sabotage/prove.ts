import { faults } from '../faults/index.ts';
import type { Options } from '../options.ts';
import { find, openTheatre, runTorture, type Theatre } from '../run.ts';
import type { Command } from '../work/command.ts';
import { commands } from '../work/index.ts';
import { plant } from './copy.ts';
import { sabotages } from './list.ts';
import type { Sabotage } from './sabotage.ts';

/**
 * Plants one sabotage, or `all` of them one after the other, and runs the torture on each. True where nothing was found with
 * one that is named (as for any run), and where each was found with `all`.
 */
export async function proveSabotages(
  root: string,
  { sabotage = 'all', seed, version }: Options,
  say: (line: string) => void,
): Promise<boolean> {
  const chosen = sabotage === 'all' ? sabotages : [find(sabotages, sabotage)];
  await using theatre = await openTheatre(version);
  const missed: string[] = [];
  for (const each of chosen) {
    const found = await findIn(theatre, root, each, seed, say);
    if (found === undefined) missed.push(each.name);
    say(found === undefined ? `${each.name}: NOT FOUND` : `${each.name}: found`);
  }
  if (sabotage !== 'all') {
    say(missed.length > 0 ? 'nothing broken' : 'BROKEN');
    return missed.length > 0;
  }
  say(
    `${chosen.length - missed.length} of ${chosen.length} sabotages found${missed.length > 0 ? `; not ${missed.join(', ')}` : ''}`,
  );
  return missed.length === 0;
}

/** Of the moments of a command only the one that matters, where it has that. */
function atMoment(command: Command, { at }: Sabotage): Command {
  const sights = command.sights.filter(({ name }) => name === at);
  return sights.length === 0 ? command : { ...command, sights };
}

async function findIn(
  theatre: Theatre,
  root: string,
  sabotage: Sabotage,
  seed: number,
  say: (line: string) => void,
): Promise<string | undefined> {
  say(`\n${sabotage.name}: ${sabotage.plants}`);
  await using tried = await plant(root, sabotage);
  const { broken } = await runTorture(theatre, {
    seed,
    faults: sabotage.within,
    commands: sabotage.commands.map((name) => atMoment(find(commands, name), sabotage)),
    kinds: sabotage.faults.map((name) => find(faults, name)),
    tried,
    say,
  });
  // What the package itself has said does not count: a fault may be in what says it.
  if (broken?.isFound !== true || broken.isOnlySaid === true) return undefined;
  return sabotage.shows.test(broken.why ?? '') ? broken.why : undefined;
}
