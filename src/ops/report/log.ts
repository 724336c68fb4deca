import { accessSync, constants, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { RunLedger } from '../../migrate/run/ledger.ts';
import type { ProgressEvent } from '../../migrate/run/progress.ts';
import { toFileError } from '../backup/backup-file.ts';
import { formatReportPage } from './page/page.ts';
import type { RunEnd, RunFacts, RunOrigin, RunReport } from './report.ts';
import { addEvent, addPhase, endLast } from './steps.ts';

/** The log of a run while it goes on. */
export interface RunLog {
  /** From now on it is on the disk, whatever happens to the process. A run that is refused before leaves nothing. */
  begin(): void;
  /** Takes what a migration or rollback reports; the first file that is run begins the log. */
  record(event: ProgressEvent): void;
  /** A part of the run begins, and the one before it has ended. */
  phase(name: string): void;
  note(facts: RunFacts & Partial<Pick<RunOrigin, 'target'>>): void;
  /** Writes the end. It never throws: what was done is done, whether it can be written down or not. */
  close(end: RunEnd): RunLogEnd;
}

/** Where the report is; neither where the log was not begun, because then there is nothing to keep. */
export interface RunLogEnd {
  readonly files?: { readonly json: string; readonly page: string };
  /** Why it could not be written. */
  readonly fault?: string;
}

/**
 * Opens the log of a run: a JSON, and a page to look at, in `folder` (made where it is missing).
 *
 * @throws OperationError `FILE_INVALID` where the folder can't be written to: before anything was changed
 * @example
 * const log = openRunLog('reports', { command: 'migrate', release: '0.2.0', target: connection.target, operator });
 * await applyMigrations(connection, { onProgress: log.record });
 * log.close({ exitCode: 0 });
 */
export function openRunLog(folder: string, origin: RunOrigin): RunLog {
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
  } catch (cause) {
    throw toFileError(cause, folder);
  }
  const startedAtMs = Date.now();
  let report: RunReport = { ...origin, startedAtMs, outcome: 'running', steps: [], rests: [], stepBacks: [] };
  const ledger = new RunLedger();
  const files = nameFiles(folder, report);
  let isBegun = false;

  const write = (): RunLogEnd => {
    try {
      writeFileSync(files.json, `${JSON.stringify(report, asText, 2)}\n`);
      writeFileSync(files.page, formatReportPage(report));
      return { files };
    } catch (cause) {
      return { fault: cause instanceof Error ? cause.message : String(cause) };
    }
  };
  // A fault on the way is told at the end, which writes all of it again.
  const begin = (): void => {
    if (!isBegun) {
      isBegun = true;
      write();
    }
  };

  return {
    begin,
    record: (event) => {
      ledger.record(event);
      if (event.kind === 'started' || event.kind === 'statement') isBegun = true;
      if (!isBegun) return;
      const { rests, stepBacks, tradeWaits, longestLag } = ledger;
      const steps = addEvent(report.steps, event);
      report = {
        ...report,
        steps,
        rests,
        stepBacks,
        ...(longestLag && { longestLag }),
        ...(tradeWaits && { tradeWaits }),
      };
      if (event.kind === 'started' || event.kind === 'statement' || event.kind === 'finished') write();
    },
    phase: (name) => {
      isBegun = true;
      const { steps, phases = [] } = report;
      report = { ...report, steps: endLast(steps, Date.now()), phases: addPhase(phases, name) };
      write();
    },
    note: (facts) => {
      report = { ...report, ...facts };
    },
    close: (end) => {
      if (!isBegun) return {};
      const endedAtMs = Date.now();
      const { phases } = report;
      // Of a run that has failed, the last part has not ended.
      const ended = phases && { phases: end.error === undefined ? endLast(phases, endedAtMs) : phases };
      report = { ...report, ...end, ...ended, endedAtMs, outcome: outcomeOf(end) };
      return write();
    },
  };
}

const outcomeOf = ({ error, exitCode }: RunEnd): RunReport['outcome'] =>
  error !== undefined ? 'failed' : exitCode === 0 ? 'done' : 'faults';

/** Two runs of one moment have two names, by their processes. */
function nameFiles(folder: string, { command, target, startedAtMs }: RunReport) {
  const begun = new Date(startedAtMs).toISOString().replace(/[-:.]/g, '');
  const name = `${command}-${target.replace(/[^\w.-]+/g, '_')}-${begun}-${process.pid}`;
  return { json: path.join(folder, `${name}.json`), page: path.join(folder, `${name}.html`) };
}

const asText = (_key: string, value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value);
