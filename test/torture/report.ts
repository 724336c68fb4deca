import { fileURLToPath } from 'node:url';
import { type Count, count } from './count.ts';
import { countTried, type TriedPromise } from './promises.ts';
import type { RunReport, StepReport } from './run.ts';
import type { Level } from './work/levels.ts';

/** What a run has seen, as it is written down with --out. */
export interface WrittenReport {
  readonly version: number;
  readonly seed: number;
  readonly startedAt: string;
  readonly seconds: number;
  /** Faults that were thrown and broke nothing. */
  readonly held: number;
  readonly missed: number;
  readonly skipped: number;
  readonly longestTradeWaitMs: number;
  /** Statements of services that were measured. */
  readonly statements: number;
  readonly byFault: Readonly<Record<string, Count>>;
  readonly byCommand: Readonly<Record<string, Count>>;
  /** Each promise, and how many faults have tried it. */
  readonly promises: readonly TriedPromise[];
  /** Service starts under stock runners, or while ours is stopped or cut off: nobody steps back, and waits are not counted. */
  readonly excusedStarts: number;
  /** Waits over the limit for which no lock was seen, with what machine and server were at. */
  readonly notes: readonly string[];
  /** Where its time went: seconds by part. What is done at the same time is counted twice. */
  readonly secondsByPart: Readonly<Record<string, number>>;
  readonly broken: Broken | undefined;
}

interface Broken {
  readonly step: number;
  readonly command: string;
  readonly from: Level;
  readonly fault: string;
  /** False: it is the torture that could not go on, and nothing was found. */
  readonly isFound: boolean;
  readonly what: string;
  readonly again: string;
  /** What was done about it: written by hand, when it is done. */
  readonly since?: string;
}

export interface RunFacts {
  readonly version: number;
  readonly seed: number;
  readonly startedAtMs: number;
}

/** What is written down names the files of this checkout as anybody has them. */
const root = fileURLToPath(new URL('../..', import.meta.url));

export function summarize(
  { steps, parts, broken }: RunReport,
  { version, seed, startedAtMs }: RunFacts,
): WrittenReport {
  const byFault = countBy(steps, ({ step }) => step.fault);
  const byCommand = countBy(steps, ({ step }) => step.command);
  return {
    version,
    seed,
    startedAt: new Date(startedAtMs).toISOString(),
    seconds: Math.round((Date.now() - startedAtMs) / 1_000),
    ...count(steps),
    statements: steps.reduce((sum, { statements = 0 }) => sum + statements, 0),
    byFault,
    byCommand,
    promises: countTried(byFault, byCommand),
    excusedStarts: steps.filter(({ isStartExcused }) => isStartExcused === true).length,
    notes: steps.flatMap(({ step, notes = [] }) => notes.map((note) => `#${step.number}: ${note}`)),
    secondsByPart: parts,
    broken:
      broken === undefined
        ? undefined
        : {
            step: broken.step.number,
            command: broken.step.command,
            from: broken.step.level,
            fault: broken.step.fault,
            isFound: broken.isFound === true,
            what: (broken.why ?? '').replaceAll(root, ''),
            again: tellAgain(steps, broken.step.number, { version, seed }),
          },
  };
}

/** From where its database was new: what came before that has nothing to do with it. */
function tellAgain(
  steps: readonly StepReport[],
  number: number,
  { version, seed }: Pick<RunFacts, 'version' | 'seed'>,
): string {
  const first = steps.findLast(({ step }) => step.isFresh && step.number <= number)?.step ?? steps[0]?.step;
  const from = first?.number ?? number;
  return `npm run torture -- --seed ${seed} --pg ${version} --from ${from} --faults ${number - from + 1}`;
}

function countBy(
  steps: readonly StepReport[],
  nameOf: (report: StepReport) => string,
): Record<string, Count> {
  const names = [...new Set(steps.map(nameOf))].sort();
  return Object.fromEntries(
    names.map((name) => [name, count(steps.filter((step) => nameOf(step) === name))]),
  );
}

/** A line for each kind of fault, and the verdict last. */
export function formatSummary(report: WrittenReport): string {
  const { byFault, held, longestTradeWaitMs, statements, seconds, version, seed, broken } = report;
  const parts = Object.entries(report.secondsByPart).map(([part, of]) => `${part} ${of}`);
  const width = Math.max(0, ...Object.keys(byFault).map((name) => name.length));
  const lines = Object.entries(byFault).map(([name, of]) => {
    const codes = Object.entries(of.exitCodes).map(([code, times]) => `${code} ×${times}`);
    return `${name.padEnd(width)}  ${String(of.held).padStart(4)} held, ${of.missed} came too late, ${of.skipped} skipped; longest wait ${of.longestTradeWaitMs} ms; ended with ${codes.join(', ') || 'nothing'}`;
  });
  return [
    ...lines,
    `seconds by part: ${parts.join('; ')}`,
    ...(report.excusedStarts > 0
      ? [
          `${report.excusedStarts} times a service started under a stock runner, or while ours was stopped or cut off: nobody steps back then, and what others waited is not counted`,
        ]
      : []),
    `PostgreSQL ${version}, seed ${seed}: ${seconds} s, ${statements} statements of services, longest wait ${longestTradeWaitMs} ms`,
    ...(broken === undefined
      ? [`${held} faults, nothing broken`]
      : [
          `#${broken.step}, ${broken.command} from ${broken.from}, ${broken.fault}:`,
          broken.what,
          `see it again: ${broken.again}`,
          'BROKEN',
        ]),
  ].join('\n');
}
