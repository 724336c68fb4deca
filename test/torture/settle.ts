import type { TestLine } from '../support/endpoints.ts';
import { Broken } from './broken.ts';
import { checkDatabase, checkLevel, countDuplicates } from './checks/database.ts';
import { findLeftovers, openDoor } from './checks/leftovers.ts';
import type { Fault } from './faults/fault.ts';
import { withSession } from './ground/ground.ts';
import type { Step } from './schedule.ts';
import { describeMissing } from './services/errors.ts';
import type { Feelings } from './services/messages.ts';
import { notInOrder, type Stage } from './stage.ts';
import type { Command } from './work/command.ts';
import { lastLevel } from './work/levels.ts';

export interface Played {
  readonly step: Step;
  readonly command: Command;
  readonly fault: Fault;
  readonly line: TestLine;
  /** It has ended in 0: then all of it is done. */
  readonly isWhole: boolean;
}

/** What must hold after a fault. Services rest when it ends. */
export async function checkFault(stage: Stage, played: Played): Promise<void> {
  const { command, fault, line, isWhole } = played;
  const { services, ground, database, parts } = stage;
  await parts.time('services come to rest', () => services.ask({ ask: 'rest' }));
  if (isRestore(command) && fault.killsServer === true) await openDoor(ground, database);
  await parts.time('what is left behind', async () =>
    throwProblems('left behind', await findLeftovers(ground, database, line.clientPorts())),
  );
  const against = isRestore(command) ? (isWhole ? 'noted' : 'either') : 'committed';
  await checkRows(stage, against, 'after the fault');
  if (isWhole) await checkGoal(stage, command, goalOf(played), 'although it has ended with 0');
}

/** The command once more, and what must hold after that. */
export async function settleStep(stage: Stage, played: Played): Promise<Feelings> {
  const { command } = played;
  const { services, ground, database, parts } = stage;
  // A restore replaces the tables: services rest until it is done.
  if (!isRestore(command)) await services.ask({ ask: 'work' });
  const end = await parts.time('the command again', () => stage.again(command));
  if (command.recordsNothing === true && end.exitCode === 0)
    await parts.time('the command again', () => stage.own('migrate'));
  await parts.time('services come to rest', () => services.ask({ ask: 'rest' }));
  await parts.time('what is left behind', async () =>
    throwProblems('left behind by the next run', await findLeftovers(ground, database, [])),
  );
  await checkRows(stage, isRestore(command) ? 'noted' : 'committed', 'after the next run');
  // What was looked at first says more than how it ended.
  if (end.exitCode !== 0) throw notInOrder(`${command.name} again`, end);
  if (command.name === 'backup')
    await parts.time('the backup', () => checkBackup(stage, stage.pathOf(end.output)));
  await checkGoal(stage, command, goalOf(played), 'after the next run', true);
  return services.ask({ ask: 'feelings' });
}

const isRestore = ({ needs }: Command): boolean => needs === 'backup';
const goalOf = ({ step, command }: Played): string => command.leads[step.level] ?? lastLevel;

async function checkRows(
  stage: Stage,
  against: 'committed' | 'noted' | 'either',
  when: string,
): Promise<void> {
  // The two read at once, each in a process of its own.
  const [{ problems }, found] = await Promise.all([
    stage.parts.time('the ledger', () => stage.services.ask({ ask: 'audit', url: stage.directUrl, against })),
    stage.parts.time('the rows of the first hour and the journal', () =>
      withSession(stage.directUrl, (sql) => checkDatabase(sql, stage.reference, stage.before)).catch(
        (error: unknown) => [describeMissing(error)],
      ),
    ),
  ]);
  throwProblems(when, [...new Set([...problems, ...found])]);
}

async function checkGoal(
  stage: Stage,
  command: Command,
  to: string,
  when: string,
  isSettled = false,
): Promise<void> {
  const isRecorded = isSettled || command.recordsNothing !== true;
  const found = await stage.parts.time('the level', () =>
    withSession(stage.directUrl, async (sql) => [
      ...(await checkLevel(sql, stage.reference, to, isRecorded)),
      ...(command.needs === 'duplicates' && (await countDuplicates(sql)) > 0
        ? ['fills are still stored twice']
        : []),
    ]),
  );
  throwProblems(when, found);
}

/** Restores it beside the database: all that was committed before the command began is in it. */
async function checkBackup(stage: Stage, file: string): Promise<void> {
  const { server } = stage.ground;
  const copy = `${stage.database}_copy`;
  await stage.own('restore', file, '--into', copy);
  const { problems } = await stage.services.ask({ ask: 'audit copy', url: server.url(copy) });
  throwProblems('in the backup', problems);
  const found = await withSession(server.url(copy), (sql) =>
    checkDatabase(sql, stage.reference, stage.before),
  );
  throwProblems('in the backup', found);
  await withSession(server.url('postgres'), (sql) => sql.unsafe(`drop database ${copy}`));
}

function throwProblems(when: string, problems: readonly string[]): void {
  if (problems.length > 0)
    throw new Broken(
      `${when}:\n${problems
        .slice(0, 10)
        .map((problem) => `  ${problem}`)
        .join('\n')}`,
    );
}
