import { formatCount, formatDuration, formatTime, formatWait } from '../../../connection/units.ts';
import type { WaitSummary } from '../../../migrate/canary/histogram.ts';
import type { TradeWaits } from '../../../migrate/canary/waits.ts';
import type { LongestLag, Rest, StepBack } from '../../../migrate/run/ledger.ts';
import type { RunReport } from '../report.ts';
import { type Html, html } from './html.ts';
import { chartWaits } from './waits-chart.ts';

/** What trading felt, and what the run did about it. */
export function describeWaits({ tradeWaits, rests, stepBacks, longestLag }: RunReport): Html | undefined {
  if (tradeWaits === undefined && rests.length + stepBacks.length === 0 && longestLag === undefined)
    return undefined;
  return html`<h2>What trading felt</h2>
${tradeWaits === undefined ? undefined : formatTradeWaits(tradeWaits, rests)}
${longestLag === undefined ? undefined : describeLag(longestLag)}
${rests.length === 0 ? undefined : listRests(rests)}
${stepBacks.length === 0 ? undefined : listStepBacks(stepBacks)}`;
}

function formatTradeWaits(waits: TradeWaits, rests: readonly Rest[]): Html {
  if (!waits.measured) return html`<p>Not measured: ${waits.reason}</p>`;
  return html`${chartWaits(waits, rests)}
<div class="scroll"><table>
<tr><th></th><th class="number">half</th><th class="number">99 %</th><th class="number">99.9 %</th><th class="number">longest</th></tr>
${summaryRow('before', waits.before)}
${summaryRow('during', waits.during)}
</table></div>
${waits.lost === undefined ? undefined : html`<p class="late">Measured until it was lost: ${waits.lost}</p>`}
<p class="quiet">Half of the probes waited no longer than the first figure, 99 % and 99.9 % no longer than the next two. There were ${countOf(waits.before)} before the work and ${countOf(waits.during)} during it. A probe does what a trade does: it reads a row of each table and takes a writer’s lock with a commit${
    waits.flushes ? ', which waits for the disk' : ''
  }.</p>`;
}

const countOf = (waits: WaitSummary | undefined): string => formatCount(waits?.count ?? 0);

const summaryRow = (name: string, waits: WaitSummary | undefined): Html =>
  waits === undefined
    ? html`<tr><td>${name}</td><td colspan="4" class="quiet">not measured</td></tr>`
    : html`<tr><td>${name}</td>${[waits.p50Ms, waits.p99Ms, waits.p999Ms, waits.longestMs].map(
        (wait) => html`<td class="number">${formatWait(wait)}</td>`,
      )}</tr>`;

/** Between two builds it rests for a lag; in one it can't. */
const describeLag = ({ standby, lagMs, atMs, statement }: LongestLag): Html =>
  html`<p>The standby ${standby} was furthest behind at ${formatTime(atMs)}: it had not replayed for ${formatWait(lagMs)} what was
written, while this ran, which can’t rest: <code>${statement.trim()}</code></p>`;

const listRests = (rests: readonly Rest[]): Html => html`<h3>It rested</h3>
<div class="scroll"><table>
<tr><th>from</th><th>why</th><th class="number">for</th></tr>
${rests.map(
  ({ startedAtMs, message, restedMs, times }) =>
    html`<tr><td>${formatTime(startedAtMs)}</td><td>${message}${times === 1 ? '' : ` (${times} times)`}</td><td class="number">${formatDuration(restedMs)}</td></tr>`,
)}
</table></div>`;

const listStepBacks = (stepBacks: readonly StepBack[]): Html => html`<h3>It stepped back</h3>
<div class="scroll"><table>
<tr><th>at</th><th>statement, cancelled and tried again</th><th>who waited</th><th class="number">for</th></tr>
${stepBacks.map(
  ({ atMs, statement, behind, waitedMs }) =>
    html`<tr><td>${formatTime(atMs)}</td><td><code>${statement}</code></td><td>${behind}</td><td class="number">${formatWait(waitedMs)}</td></tr>`,
)}
</table></div>`;
