import { formatDuration } from '../migrate/activity.ts';
import { type ApplyReport, applyMigrations } from '../migrate/apply.ts';
import { openConnection } from '../migrate/connection.ts';
import { planMigrations } from '../migrate/describe.ts';
import type { CliCommand, Outcome } from './command.ts';
import { showEvents } from './events.ts';
import { addWaitOptions, cancelOnAbort, readWaitOptions } from './options.ts';
import { formatPlan } from './plan.ts';

export const migrate: CliCommand = {
  name: 'migrate',
  summary: 'apply all pending migrations, or those up to the one that is named, while trading goes on',
  exitCodes: {
    0: 'all that was asked for is applied; with --dry-run, the plan is printed',
    1: null,
    4: 'refused for safety: another run, a transaction in the way, a contradiction in the history, a pooler',
    5: 'a statement failed, or the work was interrupted; run it again to go on',
  },
  configure: (command) => {
    command
      .argument('[migration]', 'the last one to apply: 001, 1, 0001 or its full name')
      .option('--dry-run', 'print the exact SQL, lock and cost of each step; write nothing');
    addWaitOptions(command);
  },
  run: async ({ url, signal, progress }, { args: [upTo], options }) => {
    const isDryRun = options['dryRun'] === true;
    await using connection = await openConnection(url, { create: !isDryRun });
    const selection = upTo === undefined ? {} : { upTo };
    if (isDryRun) {
      cancelOnAbort(connection, signal, progress);
      const plan = await planMigrations(connection, selection);
      return { exitCode: 0, result: plan, text: formatPlan(plan) };
    }
    const onProgress = showEvents(progress);
    const report = await applyMigrations(connection, {
      ...selection,
      ...readWaitOptions(options),
      signal,
      onProgress,
    });
    return formatReport(report);
  },
};

function formatReport(report: ApplyReport): Outcome {
  const lines = report.applied.map(
    ({ tag, durationMs, waitedMs }) =>
      `  applied ${tag} in ${formatDuration(durationMs)}${waitedMs === 0 ? '' : `, ${formatDuration(waitedMs)} of it waiting`}`,
  );
  const summary = lines.length === 0 ? 'nothing to do: it is applied already' : `${lines.length} applied`;
  return { exitCode: 0, result: report, text: [`${report.target}: ${summary}`, ...lines].join('\n') };
}
