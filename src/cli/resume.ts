import { describePause, resumeRuns } from '../own/index.ts';
import { defineCommand } from './command.ts';
import { openInterruptible } from './open-interruptible.ts';
import { noteServer, reportInput, withReport } from './reported.ts';

export const resume = defineCommand({
  name: 'resume',
  summary: 'end a pause: runs go on within a second',
  exitCodes: {
    0: 'runs on this database may go on; also where they were not paused',
    1: null,
    4: 'the first migration, which makes the place for it, is not applied',
  },
  input: reportInput,
  run: (context, { reportFolder, notifyCommand }) =>
    withReport('resume', context, { reportFolder, notifyCommand }, async (log) => {
      await using connection = await openInterruptible(context);
      await noteServer(log, connection, { begins: false });
      const { target } = connection;
      const ended = await resumeRuns(connection);
      if (ended !== undefined) log.begin();
      return {
        exitCode: 0,
        result: { target, wasPaused: ended !== undefined, ...(ended === undefined ? {} : { ended }) },
        text: [
          `${target}: ${ended === undefined ? 'it was not paused' : `resumed; it was ${describePause(ended)}`}`,
          'next: multi-pair-db status',
        ].join('\n'),
      };
    }),
});
