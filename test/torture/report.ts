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
  readonly broken: Broken | undefined;
}

export interface Count {
  readonly held: number;
  readonly missed: number;
  readonly skipped: number;
  readonly longestTradeWaitMs: number;
  /** How often the command has ended with which exit code; `signal`: it was killed. */
  readonly exitCodes: Readonly<Record<string, number>>;
}

interface Broken {
  readonly step: number;
  readonly command: string;
  readonly from: Level;
  readonly fault: string;
  readonly what: string;
  readonly again: string;
}

export interface RunFacts {
  readonly version: number;
  readonly seed: number;
  readonly startedAtMs: number;
}

export function summarize(
  { steps, broken }: RunReport,
  { version, seed, startedAtMs }: RunFacts,
): WrittenReport {
  return {
    version,
    seed,
    startedAt: new Date(startedAtMs).toISOString(),
    seconds: Math.round((Date.now() - startedAtMs) / 1_000),
    ...count(steps),
    statements: steps.reduce((sum, { statements = 0 }) => sum + statements, 0),
    byFault: countBy(steps, ({ step }) => step.fault),
    byCommand: countBy(steps, ({ step }) => step.command),
    broken:
      broken === undefined
        ? undefined
        : {
            step: broken.step.number,
            command: broken.step.command,
            from: broken.step.level,
            fault: broken.step.fault,
            what: broken.why ?? '',
            again: `npm run torture -- --faults ${broken.step.number} --seed ${seed} --pg ${version}`,
          },
  };
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

function count(steps: readonly StepReport[]): Count {
  const so = (outcome: StepReport['outcome']): number =>
    steps.filter((step) => step.outcome === outcome).length;
  const exitCodes: Record<string, number> = {};
  for (const { outcome, exitCode } of steps) {
    if (outcome !== 'held') continue;
    const name = exitCode === undefined ? 'signal' : String(exitCode);
    exitCodes[name] = (exitCodes[name] ?? 0) + 1;
  }
  const longestTradeWaitMs = Math.round(Math.max(0, ...steps.map(({ longestWaitMs = 0 }) => longestWaitMs)));
  return { held: so('held'), missed: so('missed'), skipped: so('skipped'), longestTradeWaitMs, exitCodes };
}

/** A line for each kind of fault, and the verdict last. */
export function formatSummary(report: WrittenReport): string {
  const { byFault, held, longestTradeWaitMs, statements, seconds, version, seed, broken } = report;
  const width = Math.max(0, ...Object.keys(byFault).map((name) => name.length));
  const lines = Object.entries(byFault).map(([name, of]) => {
    const codes = Object.entries(of.exitCodes).map(([code, times]) => `${code} ×${times}`);
    return `${name.padEnd(width)}  ${String(of.held).padStart(4)} held, ${of.missed} came too late, ${of.skipped} skipped; longest wait ${of.longestTradeWaitMs} ms; ended with ${codes.join(', ') || 'nothing'}`;
  });
  return [
    ...lines,
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
