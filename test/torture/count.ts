import type { StepReport } from './run.ts';

/** What became of some steps. */
export interface Count {
  readonly held: number;
  readonly missed: number;
  readonly skipped: number;
  readonly longestTradeWaitMs: number;
  /** How often the command has ended with which exit code; `signal`: it was killed. */
  readonly exitCodes: Readonly<Record<string, number>>;
}

export function count(steps: readonly StepReport[]): Count {
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
