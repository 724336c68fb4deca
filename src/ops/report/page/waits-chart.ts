import { formatClock, formatDuration, formatWait } from '../../../connection/units.ts';
import type { TradeWaits } from '../../../migrate/canary/waits.ts';
import type { Rest } from '../../../migrate/run/ledger.ts';
import { type Html, html } from './html.ts';

type Measured = Extract<TradeWaits, { measured: true }>;

/** The chart is as wide as the page: a hundred of its own units each way, and text beside it, not in it. */
const size = 100;

/** The longest wait of each second, from the quiet before to the end, with the limit, and the rests behind. */
export function chartWaits(waits: Measured, rests: readonly Rest[]): Html | undefined {
  const { startedAtMs, stepMs, longestMs } = waits.timeline;
  if (longestMs.length === 0) return undefined;
  const spanMs = longestMs.length * stepMs;
  const highestMs = Math.max(waits.limitMs * 1.1, ...longestMs.map((wait) => wait ?? 0));
  const x = (atMs: number): number => Math.max(0, Math.min(size, ((atMs - startedAtMs) / spanMs) * size));
  const y = (waitMs: number): number => size - (waitMs / highestMs) * size;
  const bar = size / longestMs.length;
  const bars = longestMs.map((wait, at) => {
    if (wait === null) return '';
    return `M${round(at * bar)} ${size}V${round(y(wait))}h${round(bar * 0.9)}V${size}z`;
  });
  const limit = round(y(waits.limitMs));
  const began = waits.workedFromMs === undefined ? undefined : round(x(waits.workedFromMs));
  return html`<figure>
<div class="chart">
<div class="scale"><span>${formatWait(highestMs)}</span><span>0</span></div>
<svg viewBox="0 0 ${size} ${size}" preserveAspectRatio="none" role="img" aria-label="The longest wait of a trade over time">
${rests.map(
  (rest) =>
    html`<rect class="pause" x="${round(x(rest.startedAtMs))}" y="0" height="${size}" width="${round(x(rest.endedAtMs) - x(rest.startedAtMs))}"/>`,
)}
<path class="wait" d="${bars.join('')}"/>
<line class="limit" x1="0" x2="${size}" y1="${limit}" y2="${limit}"/>
${began === undefined ? undefined : html`<line class="begin" x1="${began}" x2="${began}" y1="0" y2="${size}"/>`}
</svg>
<div class="times"><span>${formatClock(startedAtMs)}</span><span>${formatClock(startedAtMs + spanMs)} UTC</span></div>
</div>
<figcaption>The longest wait of a trade in each ${stepMs === 1_000 ? 'second' : formatDuration(stepMs)}. Dashed across: the limit of
${formatWait(waits.limitMs)}, at which a statement steps back.${
    began === undefined ? '' : ' Dotted upright: the work began.'
  }${rests.length === 0 ? '' : ' Shaded: it rested now and then, or all the time.'}</figcaption>
</figure>`;
}

const round = (value: number): string => value.toFixed(2);
