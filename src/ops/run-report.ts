import { accessSync, constants, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { OperationErrorDetails } from '../connection/errors.ts';
import { formatDuration, formatVersion, formatWait } from '../connection/units.ts';
import type { WaitSummary } from '../migrate/canary/histogram.ts';
import type { TradeWaits } from '../migrate/canary/waits.ts';
import { type Rest, RunLedger, type StepBack } from '../migrate/run/ledger.ts';
import type { ProgressEvent } from '../migrate/run/progress.ts';
import { toFileError } from './backup/backup-file.ts';
import type { MaintenanceStep } from './indexes/maintain.ts';

/** A statement that was run. Times are epoch milliseconds. */
export interface RunStep {
  readonly tag: string;
  /** Its first line. */
  readonly statement: string;
  readonly startedAtMs: number;
  /** Undefined: it had not ended when the run did, or failed. */
  readonly durationMs?: number;
  /** Of it, waiting for other sessions. */
  readonly waitedMs: number;
}

/** What verify has found, in the words of its own findings. */
export interface RunVerification {
  readonly verified: boolean;
  readonly findings: readonly {
    readonly level: string;
    readonly object: string;
    readonly expected: string;
    readonly found: string;
    readonly repair: string;
  }[];
}

/** How a run has ended, and what was done beside the migrations. */
export interface RunEnd {
  readonly analyzed?: readonly MaintenanceStep[];
  readonly verification?: RunVerification;
  readonly error?: OperationErrorDetails;
}

/** The deployment log of one run. */
export interface RunReport extends RunEnd {
  readonly command: string;
  readonly target: string;
  /** `server_version_num` */
  readonly versionNumber: number;
  readonly startedAtMs: number;
  /** Undefined: the run was killed, or is still going on. */
  readonly endedAtMs?: number;
  readonly outcome: 'running' | 'done' | 'failed';
  /** The backup that was demanded before it began. */
  readonly backup?: { readonly path: string; readonly sha256: string; readonly startedAtMs: number };
  readonly steps: readonly RunStep[];
  /** Why and for how long it has rested between batches and builds. */
  readonly rests: readonly Rest[];
  /** Statements that were cancelled because others waited behind them, and tried again. */
  readonly stepBacks: readonly StepBack[];
  /** What trading felt; undefined while the run goes on. */
  readonly tradeWaits?: TradeWaits;
}

export type RunReportStart = Pick<RunReport, 'command' | 'target' | 'versionNumber' | 'backup'> & {
  /** Folder for the report (`reports`, in the working directory); made where it is missing. */
  readonly folder?: string;
};

/** The log of a run while it goes on. */
export interface RunLog {
  /** Takes what the run reports. From the first migration on, the log is on the disk, whatever happens to the process. */
  record(event: ProgressEvent): void;
  /** Writes the end. It never throws: what was migrated is migrated, whether it can be written down or not. */
  close(end: RunEnd): RunLogEnd;
}

/** Where the report is; neither where no migration was begun, because then there is nothing to keep. */
export interface RunLogEnd {
  readonly files?: { readonly json: string; readonly page: string };
  /** Why it could not be written. */
  readonly fault?: string;
}

/**
 * Opens the log of a run: a JSON and a page to read (Markdown) in `folder`, which begin with the first migration.
 *
 * @throws OperationError `FILE_INVALID` where the folder can't be written to: before anything was changed
 * @example
 * const log = openRunLog({ command: 'migrate', target: connection.target, versionNumber: connection.versionNumber });
 * await applyMigrations(connection, { onProgress: log.record });
 * log.close({ analyzed: (await maintainTables(connection, 'analyze')).steps });
 */
export function openRunLog({ folder = 'reports', ...start }: RunReportStart): RunLog {
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
  } catch (cause) {
    throw toFileError(cause, folder);
  }
  let report: RunReport = {
    ...start,
    startedAtMs: Date.now(),
    outcome: 'running',
    steps: [],
    rests: [],
    stepBacks: [],
  };
  const ledger = new RunLedger();
  const name = `${start.command}-${start.target.replace(/[^\w.-]+/g, '_')}-${new Date(report.startedAtMs).toISOString().replace(/[-:]|\.\d+/g, '')}-${process.pid}`;
  const files = { json: path.join(folder, `${name}.json`), page: path.join(folder, `${name}.md`) };
  let begun = false;

  const write = (): RunLogEnd => {
    try {
      writeFileSync(files.json, `${JSON.stringify(report, null, 2)}\n`);
      writeFileSync(files.page, formatRunReport(report));
      return { files };
    } catch (cause) {
      return { fault: cause instanceof Error ? cause.message : String(cause) };
    }
  };

  return {
    record: (event) => {
      ledger.record(event);
      if (event.kind !== 'started' && !begun) return;
      begun = true;
      const { rests, stepBacks, tradeWaits } = ledger;
      report = {
        ...report,
        steps: addEvent(report.steps, event),
        rests,
        stepBacks,
        ...(tradeWaits === undefined ? {} : { tradeWaits }),
      };
      // A fault here is told at the end, which writes all of it again.
      if (event.kind === 'started' || event.kind === 'statement' || event.kind === 'finished') write();
    },
    close: (end) => {
      if (!begun) return {};
      const outcome = end.error === undefined ? 'done' : 'failed';
      report = { ...report, ...end, endedAtMs: Date.now(), outcome };
      return write();
    },
  };
}

/** A statement ends where the next one begins, or its migration does. */
function addEvent(steps: readonly RunStep[], event: ProgressEvent): readonly RunStep[] {
  const last = steps.at(-1);
  const before = steps.slice(0, -1);
  if (event.kind === 'waiting' && last !== undefined) {
    return [...before, { ...last, waitedMs: Math.max(last.waitedMs, event.waitedMs) }];
  }
  if (event.kind !== 'statement' && event.kind !== 'finished') return steps;
  const now = Date.now();
  const ended =
    last === undefined || last.durationMs !== undefined
      ? steps
      : [...before, { ...last, durationMs: now - last.startedAtMs }];
  if (event.kind === 'finished') return ended;
  return [...ended, { tag: event.tag, statement: event.statement, startedAtMs: now, waitedMs: 0 }];
}

/** The report as a page. */
export function formatRunReport(report: RunReport): string {
  const { command, target, versionNumber, startedAtMs, endedAtMs, outcome, backup, steps } = report;
  return `${[
    `# ${command} of ${target}`,
    [
      `- outcome: ${outcome}`,
      `- server: PostgreSQL ${formatVersion(versionNumber)}`,
      `- begun: ${new Date(startedAtMs).toISOString()}`,
      endedAtMs === undefined
        ? '- ended: not yet, or it was killed'
        : `- ended: ${new Date(endedAtMs).toISOString()}, after ${formatDuration(endedAtMs - startedAtMs)}`,
      backup === undefined
        ? '- backup: none was demanded'
        : `- backup: ${backup.path}, begun ${new Date(backup.startedAtMs).toISOString()}, sha256 ${backup.sha256}`,
    ].join('\n'),
    ...formatError(report.error),
    formatTradeWaits(report.tradeWaits),
    ...formatRests(report),
    [
      '| migration | statement | begun | took | waited |',
      '| --- | --- | --- | ---: | ---: |',
      ...steps.map(formatStep),
    ].join('\n'),
    formatAnalyzed(report.analyzed),
    formatVerification(report.verification),
  ].join('\n\n')}\n`;
}

function formatTradeWaits(waits: TradeWaits | undefined): string {
  if (waits === undefined) return 'Trade waits: not known yet.';
  if (!waits.measured) return `Trade waits were not measured: ${waits.reason}.`;
  const { before, during, limitMs, flushes, lost } = waits;
  const row = (when: string, summary: WaitSummary | undefined): string =>
    summary === undefined
      ? `| ${when} | not measured | | | | |`
      : `| ${when} | ${summary.count} | ${[summary.p50Ms, summary.p99Ms, summary.p999Ms, summary.longestMs].map(formatWait).join(' | ')} |`;
  return [
    `Trade waits (limit ${formatWait(limitMs)}):`,
    '',
    '| when | probes | p50 | p99 | p99.9 | longest |',
    '| --- | ---: | ---: | ---: | ---: | ---: |',
    row('before', before),
    row('during', during),
    ...(flushes
      ? []
      : ['', 'The probes did not wait for the disk: a logical slot of this database is read.']),
    ...(lost === undefined ? [] : ['', `Measured until it was lost: ${lost}`]),
  ].join('\n');
}

function formatRests({ rests, stepBacks }: RunReport): string[] {
  const lines = [
    ...rests.map(
      ({ tag, message, startedAtMs, restedMs, times }) =>
        `- ${new Date(startedAtMs).toISOString()} ${tag} rested for ${formatDuration(restedMs)}${times === 1 ? '' : ` in ${times} rests`}: ${message}`,
    ),
    ...stepBacks.map(
      ({ tag, statement, atMs, waitedMs, behind }) =>
        `- ${new Date(atMs).toISOString()} ${tag} stepped back from \`${statement.replaceAll('`', "'")}\`; behind it waited for ${formatDuration(waitedMs)}: ${behind}`,
    ),
  ];
  return lines.length === 0 ? [] : [lines.join('\n')];
}

function formatStep({ tag, statement, startedAtMs, durationMs, waitedMs }: RunStep): string {
  const cells = [
    tag,
    `\`${statement.trim().replaceAll('`', "'").replaceAll('|', '\\|')}\``,
    new Date(startedAtMs).toISOString(),
    durationMs === undefined ? 'did not end' : formatDuration(durationMs),
    waitedMs === 0 ? '' : formatDuration(waitedMs),
  ];
  return `| ${cells.join(' | ')} |`;
}

function formatError(error: OperationErrorDetails | undefined): string[] {
  if (error === undefined) return [];
  const { code, message, file, line, sqlState, serverMessage, advice } = error;
  const rows = Object.entries({
    file: file && `${file}${line === undefined ? '' : `:${line}`}`,
    SQLSTATE: sqlState,
    PostgreSQL: serverMessage,
    'what to do': advice,
  });
  return [
    [
      `Error ${code}: ${message}`,
      ...rows.flatMap(([name, text]) => (text ? [`- ${name}: ${text}`] : [])),
    ].join('\n'),
  ];
}

const formatAnalyzed = (steps: readonly MaintenanceStep[] | undefined): string =>
  steps === undefined
    ? 'The tables were not analyzed.'
    : `Analyzed: ${steps.map(({ name, durationMs }) => `${name} (${formatDuration(durationMs)})`).join(', ')}.`;

function formatVerification(verification: RunVerification | undefined): string {
  if (verification === undefined) return 'Not verified: run `multi-pair-db verify`.';
  const { verified, findings } = verification;
  return [
    verified ? 'Verified: the database is what this release says.' : 'Not verified:',
    ...findings.map(
      ({ level, object, expected, found, repair }) =>
        `- ${level}: ${object}: expected ${expected}, found ${found}. ${repair}`,
    ),
  ].join('\n');
}
