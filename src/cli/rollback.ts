import { openConnection } from '../connection/open.ts';
import { formatDuration } from '../connection/units.ts';
import { rollbackMigration } from '../own/index.ts';
import { defineCommand } from './command.ts';
import { showEvents } from './events.ts';
import { argument, flag } from './parameters.ts';
import { text } from './parsers.ts';
import { waitInput } from './shared-input.ts';

export const rollback = defineCommand({
  name: 'rollback',
  summary:
    'undo the last migration; what services would lose is put aside, and a later migrate gives it back',
  exitCodes: {
    0: 'it is undone, or there was nothing to undo',
    1: null,
    4: 'refused for safety: data loss not accepted, a later migration is applied, another run, a transaction in the way',
    5: 'a statement failed, or the work was interrupted; run it again to go on',
  },
  input: {
    migration: argument('<migration>', '002 or 001: the number or its full name', text),
    acceptDataLoss: flag('--accept-data-loss', 'needed for 001, which drops its columns'),
    ...waitInput,
  },
  run: async ({ url, signal, progress }, { migration, acceptDataLoss, lockWaitMs, maxWaitMs }) => {
    await using connection = await openConnection(url, { signal });
    const report = await rollbackMigration(connection, migration, {
      acceptDataLoss,
      lockWaitMs,
      maxWaitMs,
      signal,
      onProgress: showEvents(progress),
    });
    const { target, tag, undone, durationMs } = report;
    const summary = undone
      ? `undone in ${formatDuration(durationMs)}`
      : 'it is not applied, so there is nothing to undo';
    return { exitCode: 0, result: report, text: `${target}: ${tag}: ${summary}` };
  },
});
