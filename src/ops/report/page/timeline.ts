import { formatClock, formatDuration } from '../../../connection/units.ts';
import type { RunReport, RunStep } from '../report.ts';
import { type Html, html } from './html.ts';

/** A step that took less of the run than that is not worth a bar: a file has fifty statements that find nothing to do. */
const leastShare = 0.01;
/** The most bars: more of them nobody reads. */
const mostBars = 30;

/** The steps that took long, each where it stood in the run; the others in one line. */
export function describeTimeline(
  { steps, startedAtMs, endedAtMs }: RunReport,
  nowMs: number,
): Html | undefined {
  if (steps.length === 0) return undefined;
  const endMs = endedAtMs ?? nowMs;
  const spanMs = Math.max(1, endMs - startedAtMs);
  const durationOf = (step: RunStep): number => step.durationMs ?? Math.max(0, endMs - step.startedAtMs);
  const long = steps
    .filter((step) => durationOf(step) >= spanMs * leastShare || step.durationMs === undefined)
    .toSorted((a, b) => durationOf(b) - durationOf(a))
    .slice(0, mostBars);
  const shown = steps.filter((step) => long.includes(step));
  const restMs = steps
    .filter((step) => !long.includes(step))
    .reduce((sum, step) => sum + durationOf(step), 0);
  const left = steps.length - shown.length;
  return html`<h2>Timeline</h2>
${shown.map((step) => bar(step, durationOf(step), step.startedAtMs - startedAtMs, spanMs))}
<div class="times"><span>${formatClock(startedAtMs)}</span><span>${formatClock(endMs)} UTC</span></div>
${left === 0 ? undefined : html`<p class="quiet">${left} ${left === 1 ? 'other statement' : 'other statements'}, in all ${formatDuration(restMs)}.</p>`}`;
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

function bar(step: RunStep, durationMs: number, fromMs: number, spanMs: number): Html {
  const share = (ms: number): string => `${Math.max(0, Math.min(100, (ms / spanMs) * 100)).toFixed(2)}%`;
  const waited = step.waitedMs === 0 ? '' : `, ${formatDuration(step.waitedMs)} of it waiting`;
  const took = step.durationMs === undefined ? 'did not end' : formatDuration(durationMs);
  return html`<div class="step">
<div class="words"><span title="${step.statement.trim()}">${nameWork(step.statement)} <span class="quiet">${step.tag}</span></span><span>${took}${waited}</span></div>
<div class="track"><i style="left:${share(fromMs)};width:${share(durationMs)}"></i></div>
</div>`;
}
