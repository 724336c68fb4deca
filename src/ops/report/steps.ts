import type { ProgressEvent } from '../../migrate/run/progress.ts';
import type { RunPhase, RunStep } from './report.ts';

/** A statement ends where the next one begins, or its migration does. */
export function addEvent(steps: readonly RunStep[], event: ProgressEvent): readonly RunStep[] {
  const last = steps.at(-1);
  if (event.kind === 'waiting' && last !== undefined) {
    return [...steps.slice(0, -1), { ...last, waitedMs: Math.max(last.waitedMs, event.waitedMs) }];
  }
  if (event.kind !== 'statement' && event.kind !== 'finished') return steps;
  const now = Date.now();
  const ended = endLast(steps, now);
  if (event.kind === 'finished') return ended;
  return [...ended, { tag: event.tag, statement: event.statement, startedAtMs: now, waitedMs: 0 }];
}

/** A part of a run ends where the next one begins. */
export function addPhase(phases: readonly RunPhase[], name: string): readonly RunPhase[] {
  const now = Date.now();
  return [...endLast(phases, now), { name, startedAtMs: now }];
}

/** The last of them has ended, if it has not before. */
export function endLast<Timed extends RunPhase | RunStep>(
  all: readonly Timed[],
  now: number,
): readonly Timed[] {
  const last = all.at(-1);
  return last === undefined || last.durationMs !== undefined
    ? all
    : [...all.slice(0, -1), { ...last, durationMs: now - last.startedAtMs }];
}
