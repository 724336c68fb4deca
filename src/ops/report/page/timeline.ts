import { count, formatClock, formatDuration } from '../../../connection/units.ts';
import type { RunPhase, RunReport, RunStep } from '../report.ts';
import { type Html, html } from './html.ts';

/** A step that took less of the run than that is not worth a bar: a file has fifty statements that find nothing to do. */
const leastShare = 0.01;
/** The most bars: more of them nobody reads. */
const mostBars = 30;

/** When a run was, and so where its bars stand. */
interface Span {
  readonly startedAtMs: number;
  readonly endMs: number;
}

/**
 * The steps that took long, each where it stood in the run; the others in one line. Of a run that has parts, such as a
 * rehearsal, each part, and its steps under it.
 */
export function describeTimeline(
  { steps, phases = [], startedAtMs, endedAtMs }: RunReport,
  nowMs: number,
): Html | undefined {
  if (steps.length + phases.length === 0) return undefined;
  const span: Span = { startedAtMs, endMs: endedAtMs ?? nowMs };
  const shown = findLong(steps, span);
  const restMs = steps
    .filter((step) => !shown.includes(step))
    .reduce((sum, step) => sum + durationOf(step, span), 0);
  const left = steps.length - shown.length;
  return html`<h2>Timeline</h2>
${phases.length === 0 ? shown.map((step) => stepBar(step, span)) : phases.map((phase, at) => phaseBars(phase, phases[at + 1], shown, span))}
<div class="times"><span>${formatClock(startedAtMs)}</span><span>${formatClock(span.endMs)} UTC</span></div>
${left === 0 ? undefined : html`<p class="quiet">${count(left, 'other statement', 'other statements')}, in all ${formatDuration(restMs)}.</p>`}`;
}

function findLong(steps: readonly RunStep[], span: Span): readonly RunStep[] {
  const least = Math.max(1, span.endMs - span.startedAtMs) * leastShare;
  const long = steps
    .filter((step) => durationOf(step, span) >= least || step.durationMs === undefined)
    .toSorted((a, b) => durationOf(b, span) - durationOf(a, span))
    .slice(0, mostBars);
  return steps.filter((step) => long.includes(step));
}

const durationOf = ({ durationMs, startedAtMs }: RunPhase | RunStep, { endMs }: Span): number =>
  durationMs ?? Math.max(0, endMs - startedAtMs);

/** A part, and what of it took long. */
function phaseBars(phase: RunPhase, next: RunPhase | undefined, shown: readonly RunStep[], span: Span): Html {
  const endMs = next?.startedAtMs ?? Number.POSITIVE_INFINITY;
  const own = shown.filter((step) => step.startedAtMs >= phase.startedAtMs && step.startedAtMs < endMs);
  return html`${bar(html`<b>${phase.name}</b>`, took(phase), phase, span, 'phase')}
${own.map((step) => stepBar(step, span, 'inner'))}`;
}

function stepBar(step: RunStep, span: Span, look = ''): Html {
  const words = html`<span title="${step.statement.trim()}">${nameWork(step.statement)} <span class="quiet">${step.tag}</span></span>`;
  const waited = step.waitedMs === 0 ? '' : `, ${formatDuration(step.waitedMs)} of it waiting`;
  return bar(words, `${took(step)}${waited}`, step, span, look);
}

/** What a statement is for: the name of its block, or the index that it builds; else its first line. */
function nameWork(statement: string): Html {
  const text = statement.trim();
  const block = /^do \$(\w+)\$/i.exec(text)?.[1];
  if (block !== undefined) return html`${block.replaceAll('_', ' ')}`;
  const [, index, table] =
    /^create (?:unique )?index concurrently (?:if not exists )?(\S+) on (\S+)/i.exec(text) ?? [];
  return index === undefined ? html`<code>${text}</code>` : html`build <code>${index}</code> on ${table}`;
}

const took = ({ durationMs }: RunPhase | RunStep): string =>
  durationMs === undefined ? 'did not end' : formatDuration(durationMs);

function bar(words: Html, time: string, timed: RunPhase | RunStep, span: Span, look: string): Html {
  const spanMs = Math.max(1, span.endMs - span.startedAtMs);
  const share = (ms: number): string => `${Math.max(0, Math.min(100, (ms / spanMs) * 100)).toFixed(2)}%`;
  const left = share(timed.startedAtMs - span.startedAtMs);
  return html`<div class="step ${look}">
<div class="words">${words}<span>${time}</span></div>
<div class="track"><i style="left:${left};width:${share(durationOf(timed, span))}"></i></div>
</div>`;
}
