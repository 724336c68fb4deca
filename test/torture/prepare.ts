import { setTimeout as sleep } from 'node:timers/promises';
import { readChecksum } from './checks/database.ts';
import { withSession } from './ground/ground.ts';
import { plantDuplicates } from './ground/rows.ts';
import type { Step } from './schedule.ts';
import type { Stage } from './stage.ts';
import type { Command } from './work/command.ts';

/** What has to be there before a command begins. */
export async function prepareStep(stage: Stage, step: Step, command: Command): Promise<void> {
  const { services } = stage;
  if (step.isFresh) {
    await stage.clear();
    await stage.renew();
  }
  await services.ask({ ask: 'work' });
  if (command.needs === 'duplicates') {
    await withSession(stage.directUrl, (sql) => sql.unsafe(plantDuplicates));
    stage.before = await withSession(stage.directUrl, readChecksum);
  }
  // What is committed before it begins has to be in a backup.
  if (command.name === 'backup') await services.ask({ ask: 'note' });
  if (command.needs === 'backup') {
    // Services rest, as their operator has them rest for a restore: so what is lost by it is known to the row.
    await services.ask({ ask: 'rest' });
    await services.ask({ ask: 'note' });
    const { output } = await stage.own('backup', '--json');
    stage.backup = stage.pathOf(output);
    await services.ask({ ask: 'work' });
    // What is written now is lost by the restore, and only by it.
    await sleep(300);
    await services.ask({ ask: 'rest' });
  }
}
