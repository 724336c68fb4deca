import { describePause, resumeRuns } from '../own/index.ts';
import { defineCommand } from './command.ts';
import { openInterruptible } from './open-interruptible.ts';

export const resume = defineCommand({
  name: 'resume',
  summary: 'end a pause: runs go on within a second',
  exitCodes: {
    0: 'runs on this database may go on; also where they were not paused',
    1: null,
    4: 'the first migration, which makes the place for it, is not applied',
  },
  run: async (context) => {
    await using connection = await openInterruptible(context);
    const { target } = connection;
    const ended = await resumeRuns(connection);
    return {
      exitCode: 0,
      result: { target, wasPaused: ended !== undefined, ...(ended === undefined ? {} : { ended }) },
      text: [
        `${target}: ${ended === undefined ? 'it was not paused' : `resumed; it was ${describePause(ended)}`}`,
        'next: multi-pair-db status',
      ].join('\n'),
    };
  },
});
