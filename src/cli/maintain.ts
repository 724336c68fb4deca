import { openConnection } from '../connection/open.ts';
import { count, formatBytes, formatDuration } from '../connection/units.ts';
import { maintainTables } from '../ops/indexes/maintain.ts';
import { defineCommand } from './command.ts';
import { choiceArgument, optionalArgument } from './parameters.ts';
import { text } from './parsers.ts';
import { noteServer, reportInput, withReport } from './reported.ts';

export const maintain = defineCommand({
  name: 'maintain',
  summary: 'analyze, vacuum or reindex the three tables while trading goes on, one table or index at a time',
  exitCodes: {
    0: 'done',
    1: null,
    2: 'wrong usage, or no such table or index of the three tables',
    4: 'refused: a migration is running, or another session builds the index',
  },
  input: {
    action: choiceArgument('<action>', 'what to do', ['analyze', 'vacuum', 'reindex']),
    name: optionalArgument('[name]', 'one table (analyze, vacuum) or index (reindex); default: all', text),
    ...reportInput,
  },
  run: async (context, { action, name, reportFolder, notifyCommand }) => {
    const { url, signal, progress } = context;
    return await withReport('maintain', context, { reportFolder, notifyCommand }, async (log) => {
      await using connection = await openConnection(url, { signal });
      await noteServer(log, connection);
      const report = await maintainTables(connection, action, { name, signal, onProgress: progress.update });
      return {
        exitCode: 0,
        result: { target: connection.target, ...report },
        text: [
          `${connection.target}: ${action} of ${action === 'reindex' ? count(report.steps.length, 'index', 'indexes') : count(report.steps.length, 'table', 'tables')} done`,
          ...report.droppedLeftovers.map(
            (index) => `  dropped ${index}, which a failed build had left behind`,
          ),
          ...report.steps.map(
            (step) =>
              `  ${step.name}: ${formatDuration(step.durationMs)}, ${formatBytes(step.bytesBefore)} before, ${formatBytes(step.bytesAfter)} after`,
          ),
          'next: multi-pair-db indexes',
        ].join('\n'),
      };
    });
  },
});
