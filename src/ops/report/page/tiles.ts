import { formatDuration, formatWait } from '../../../connection/units.ts';
import type { RunReport } from '../report.ts';
import { type Html, html } from './html.ts';

/** Of a run that has parts: so many of them, the longest. */
const mostPhases = 3;

/** What one wants to know first. */
export function describeTiles({
  tradeWaits,
  rests,
  stepBacks,
  verification,
  steps,
  phases = [],
}: RunReport): Html | undefined {
  if (steps.length + phases.length === 0) return undefined;
  const waits = tradeWaits?.measured === true ? tradeWaits : undefined;
  const restedMs = rests.reduce((sum, rest) => sum + rest.restedMs, 0);
  // Nobody trades where a rehearsal is: what did not happen there says nothing.
  const isAlone = phases.length > 0;
  const longest = phases.toSorted((a, b) => (b.durationMs ?? 0) - (a.durationMs ?? 0)).slice(0, mostPhases);
  const tiles: (Html | undefined)[] = [
    waits?.during &&
      tile(
        formatWait(waits.during.longestMs),
        `longest wait of a trade, of ${formatWait(waits.limitMs)} allowed`,
      ),
    waits?.during &&
      tile(formatWait(waits.during.p999Ms), `99.9 % waited no longer${beforeWas(waits.before?.p999Ms)}`),
    ...phases
      .filter((phase) => phase.durationMs !== undefined && longest.includes(phase))
      .map(({ name, durationMs = 0 }) => tile(formatDuration(durationMs), name)),
    isAlone && rests.length === 0 ? undefined : tile(formatDuration(restedMs), 'rested'),
    isAlone && stepBacks.length === 0
      ? undefined
      : tile(String(stepBacks.length), stepBacks.length === 1 ? 'step back' : 'steps back'),
    verification &&
      tile(verification.verified ? 'yes' : 'no', 'verified', verification.verified ? 'good' : 'bad'),
  ];
  return html`<ul class="tiles">${tiles}</ul>`;
}

const beforeWas = (ms: number | undefined): string => (ms === undefined ? '' : `, ${formatWait(ms)} before`);
const tile = (figure: string, words: string, look = ''): Html =>
  html`<li><b class="${look}">${figure}</b><span class="quiet">${words}</span></li>`;
