import type { TestLine } from '../support/endpoints.ts';
import { Broken } from './broken.ts';
import { checkDatabase, checkLevel, countDuplicates } from './checks/database.ts';
import { findLeftovers, openDoor } from './checks/leftovers.ts';
import type { Fault } from './faults/fault.ts';
import { withSession } from './ground/ground.ts';
import type { Step } from './schedule.ts';
import type { Feelings } from './services/messages.ts';
import type { Stage } from './stage.ts';
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

/** What must hold after a fault; then the command once more, and what must hold after that. */
export async function settleStep(stage: Stage, played: Played): Promise<Feelings> {
  const { step, command, fault, line, isWhole } = played;
  const { services, ground, database } = stage;
  const isRestore = command.needs === 'backup';
  const to = command.leads[step.level] ?? lastLevel;
  await services.ask({ ask: 'rest' });
  if (isRestore && fault.killsServer === true) await openDoor(ground, database);
  throwProblems('left behind', await findLeftovers(ground, database, line.clientPorts()));
  await checkRows(stage, isRestore ? (isWhole ? 'noted' : 'either') : 'committed', 'after the fault');
  if (isWhole) await checkGoal(stage, command, to, 'although it has ended with 0');

  // A restore replaces the tables: services rest until it is done.
  if (!isRestore) await services.ask({ ask: 'work' });
  const { output } = await stage.again(command);
  if (command.name === 'backup') await checkBackup(stage, stage.pathOf(output));
  if (command.recordsNothing === true) await stage.own('migrate');
  await services.ask({ ask: 'rest' });
  throwProblems('left behind by the next run', await findLeftovers(ground, database, []));
  await checkRows(stage, isRestore ? 'noted' : 'committed', 'after the next run');
  await checkGoal(stage, command, to, 'after the next run', true);
  return services.ask({ ask: 'feelings' });
}

async function checkRows(
  stage: Stage,
  against: 'committed' | 'noted' | 'either',
  when: string,
): Promise<void> {
  const { problems } = await stage.services.ask({ ask: 'audit', url: stage.directUrl, against });
  throwProblems(when, problems);
  const found = await withSession(stage.directUrl, (sql) =>
    checkDatabase(sql, stage.reference, stage.before),
  );
  throwProblems(when, found);
}

async function checkGoal(
  stage: Stage,
  command: Command,
  to: string,
  when: string,
  isSettled = false,
): Promise<void> {
  const isRecorded = isSettled || command.recordsNothing !== true;
  const found = await withSession(stage.directUrl, async (sql) => [
    ...(await checkLevel(sql, stage.reference, to, isRecorded)),
    ...(command.needs === 'duplicates' && (await countDuplicates(sql)) > 0
      ? ['fills are still stored twice']
      : []),
  ]);
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
