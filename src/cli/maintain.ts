import { Argument } from 'commander';
import { OperationError } from '../connection/errors.ts';
import { openConnection } from '../connection/open.ts';
import { formatBytes, formatDuration } from '../connection/units.ts';
import { type MaintenanceAction, maintainTables } from '../ops/indexes/maintain.ts';
import type { CliCommand } from './command.ts';

const actions: readonly MaintenanceAction[] = ['analyze', 'vacuum', 'reindex'];

export const maintain: CliCommand = {
  name: 'maintain',
  summary: 'analyze, vacuum or reindex the three tables while trading goes on, one table or index at a time',
  exitCodes: {
    0: 'done',
    1: null,
    2: 'wrong usage, or no such table or index of the three tables',
    4: 'refused: a migration is running, or another session builds the index',
  },
  configure: (command) => {
    command
      .addArgument(new Argument('<action>', 'what to do').choices([...actions]))
      .argument('[name]', 'one table (analyze, vacuum) or index (reindex); default: all');
  },
  run: async ({ url, signal, progress }, { args: [chosen, name] }) => {
    const action = actions.find((known) => known === chosen);
    if (action === undefined) {
      throw new OperationError({
        code: 'USAGE',
        message: 'no such kind of maintenance',
        advice: `Choose one of ${actions.join(', ')}.`,
      });
    }
    await using connection = await openConnection(url);
    const report = await maintainTables(connection, action, { name, signal, onProgress: progress.update });
    return {
      exitCode: 0,
      result: { target: connection.target, ...report },
      text: [
        `${connection.target}: ${action} of ${report.steps.length} ${action === 'reindex' ? 'indexes' : 'tables'} done`,
        ...report.droppedLeftovers.map((index) => `  dropped ${index}, which a failed build had left behind`),
        ...report.steps.map(
          (step) =>
            `  ${step.name}: ${formatDuration(step.durationMs)}, ${formatBytes(step.bytesBefore)} before, ${formatBytes(step.bytesAfter)} after`,
        ),
      ].join('\n'),
    };
  },
};
