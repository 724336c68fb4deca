import { describePause, pauseRuns } from '../own/index.ts';
import { defineCommand } from './command.ts';
import { openInterruptible } from './open-interruptible.ts';
import { readOperator } from './operator.ts';
import { value } from './parameters.ts';
import { text } from './parsers.ts';
import { noteServer, reportInput, withReport } from './reported.ts';

export const pause = defineCommand({
  name: 'pause',
  summary: 'let no run go on between two batches or builds, whoever runs it, until `resume`',
  exitCodes: {
    0: 'runs on this database are paused; or they were, and that pause stays',
    1: null,
    4: 'the first migration, which makes the place for it, is not applied',
  },
  notes: [
    'A batch or build that is under way is finished first. A run that begins while paused waits before its first statement,',
    'and says so; so do stock drizzle-kit and psql. --max-wait does not count meanwhile. A pause is no part of a backup:',
    'a restore brings none, and on a server the one that stands goes on to stand.',
  ].join('\n'),
  input: {
    reason: value('--reason <text>', 'why; shown by status and by the run that rests', text),
    ...reportInput,
  },
  run: (context, { reason, reportFolder, notifyCommand }) =>
    withReport('pause', context, { reportFolder, notifyCommand }, async (log) => {
      await using connection = await openInterruptible(context);
      await noteServer(log, connection, { begins: false });
      const { user, host } = readOperator();
      const result = await pauseRuns(connection, { by: `${user}@${host}`, reason });
      // A pause that stood before is another's: nothing was done here.
      if (result.isNew) log.begin();
      const { target } = connection;
      return {
        exitCode: 0,
        result: { target, ...result },
        text: [
          `${target}: ${result.isNew ? '' : 'already '}${describePause(result)}`,
          'next: multi-pair-db resume, when runs may go on',
        ].join('\n'),
      };
    }),
});
