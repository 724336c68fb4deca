import path from 'node:path';
import { parseTarget } from '../connection/url.ts';
import { rehearse as runRehearsal } from '../ops/rehearse/rehearse.ts';
import { defineCommand } from './command.ts';
import { moves } from './events.ts';
import { flag, value, valueWithDefault } from './parameters.ts';
import { text } from './parsers.ts';
import { refusePlanFolder, writePlanFile } from './plan-file.ts';
import { formatRehearsal } from './rehearse-text.ts';
import { reportInput, withReport } from './reported.ts';
import { RunView } from './run-view.ts';

const notes = `It restores, migrates, verifies, rolls back what it has migrated, migrates again and verifies again, and says of each step
how long it took, the WAL of the server and the size. The database of --url is read and never written to. The copy is
called DATABASE_rehearsal, and has a comment by which a later rehearsal knows that it may drop it. Afterwards
\`migrate --plan FILE\` runs the plan, and shows the minutes of the rehearsal.`;

export const rehearse = defineCommand({
  name: 'rehearse',
  summary: 'migrate a copy of the database there, back and there again, measured, and drop it',
  exitCodes: {
    0: 'rehearsed, and verified each time; the plan is written down',
    1: 'rehearsed, and rows differ from the backup, a verification has found a fault, or the copy could not be dropped',
    2: 'wrong usage, an embedded database, or no pg_dump of the server’s version or later',
    4: 'refused for safety: DATABASE_rehearsal is not of this program or in use, the backup was altered, the history contradicts itself',
    5: 'a step failed, or it was interrupted; the copy is dropped',
  },
  notes,
  input: {
    backup: value('--backup <file>', 'a file that `backup` has made (default: a new one, which stays)', text),
    folder: valueWithDefault('--dir <folder>', 'where to put a new one', text, 'backups'),
    on: value(
      '--on <url>',
      'the server to rehearse on, with a database to connect to (default: that of --url, which shares disk and memory with it)',
      text,
    ),
    keep: flag('--keep', 'leave the copy there, also after a fault'),
    withoutOwners: flag('--no-owner', 'give everything in the copy to the role that rehearses'),
    outFile: value(
      '--out <file>',
      'where to write the plan (default: plan-HOST_PORT_DATABASE.json beside the report)',
      text,
    ),
    ...reportInput,
  },
  run: async (context, { outFile, reportFolder, notifyCommand, ...options }) => {
    const { url, signal, progress } = context;
    return await withReport('rehearse', context, { reportFolder, notifyCommand }, async (log) => {
      const planFile = outFile ?? path.join(reportFolder, nameOf(parseTarget(url).name));
      await refusePlanFolder(planFile);
      let view = new RunView();
      const report = await runRehearsal(url, {
        ...options,
        signal,
        onPhase: (phase) => {
          log.begin();
          progress.line(phase);
        },
        onProgress: progress.update,
        onStep: log.phase,
        onEvent: (event) => {
          // Nobody trades there: what the canary has felt says nothing of trading.
          if (event.kind !== 'trade waits') log.record(event);
          // There and there again are two runs, each from nothing to all.
          if (event.kind === 'planned') view = new RunView();
          view.record(event);
          if (event.kind === 'started' && event.isUndo !== true) progress.line(`  ${event.tag}`);
          else if (moves.has(event.kind)) progress.update(view.line);
        },
      });
      const { passed, plan, rehearsal, dropFault, findings, backup } = report;
      if (passed) await writePlanFile(planFile, plan, rehearsal);
      log.note({ backup, versionNumber: plan.versionNumber, verification: { verified: passed, findings } });
      return {
        exitCode: passed && dropFault === undefined ? 0 : 1,
        result: { ...report, planFile: passed ? planFile : undefined },
        text: formatRehearsal(report, planFile),
      };
    });
  },
});

const nameOf = (target: string): string => `plan-${target.replace(/[^\w.-]+/g, '_')}.json`;
