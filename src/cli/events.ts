import { describeSessions } from '../connection/activity.ts';
import { formatDuration, formatWait } from '../connection/units.ts';
import type { WaitSummary } from '../migrate/canary/histogram.ts';
import type { TradeWaits } from '../migrate/canary/waits.ts';
import type { ProgressEvent, ProgressListener } from '../migrate/run/progress.ts';
import type { Progress } from './output.ts';

/** Shows what a run reports. What has happened is a line that stays; what is going on is one line that changes. */
export function showEvents(progress: Progress): ProgressListener {
  let waitingFor = '';
  return (event) => {
    const isWait = event.kind === 'waiting' || event.kind === 'lock';
    // Whom it waits for is a line that stays, once for each set of sessions: it is read after the run, too.
    if (isWait) {
      const sessions = event.kind === 'lock' ? event.holders : event.for;
      const names = sessions.map((session) => session.pid).join();
      if (names !== waitingFor) progress.line(`  waiting for ${describeSessions(sessions)}`);
      waitingFor = names;
    }
    // Rests of a moment come and go with the batches; the report has them.
    if (event.kind === 'rested' && event.reason === 'trade') return;
    const { text, stays } = formatEvent(event);
    if (stays) progress.line(text);
    else progress.update(text);
  };
}

function formatEvent(event: ProgressEvent): { readonly text: string; readonly stays: boolean } {
  switch (event.kind) {
    case 'lock':
      return moving(`  another run holds the lock; waited ${formatDuration(event.waitedMs)}`);
    case 'started':
      return staying(
        `${event.tag} (${event.number} of ${event.of})${event.isRepair ? ', repairing what is missing or damaged' : ''}`,
      );
    case 'statement':
      return moving(`  statement ${event.number} of ${event.of}: ${event.statement}`);
    case 'backfill':
      return moving(formatBackfill(event));
    case 'index':
      return moving(
        `  ${event.index}: ${event.phase}${event.share === undefined ? '' : `, ${formatShare(event.share)}`}`,
      );
    case 'waiting':
      return moving(`  still waiting, ${formatDuration(event.waitedMs)} so far`);
    case 'stepped back':
      return staying(
        `  stepped back, because others waited: ${describeSessions(event.for)}; tries again (${event.tries})`,
      );
    case 'resting':
      return staying(`  rests: ${event.message}`);
    case 'rested':
      return staying(`  goes on after ${formatDuration(event.durationMs)}`);
    case 'measuring':
      return moving(`  measuring what trading feels without the work, ${formatDuration(event.forMs)}`);
    case 'trade wait':
      return moving(
        `  longest trade wait ${formatWait(event.longestMs)} in the last second, ${formatWait(event.longestSoFarMs)} so far`,
      );
    case 'trade waits':
      return staying(formatTradeWaits(event.waits));
    case 'notice':
      return staying(`  ${event.message}`);
    case 'finished':
      return staying(`  done in ${formatDuration(event.durationMs)}`);
  }
}

function formatBackfill({
  pass,
  done,
  total,
  remainingMs,
}: Extract<ProgressEvent, { kind: 'backfill' }>): string {
  const share = total > 0 ? ` (${formatShare(done / total)})` : '';
  const rest = remainingMs === undefined ? '' : `, about ${formatDuration(remainingMs)} left`;
  return `  backfill, pass ${pass}: ${done} of ${total} sessions${share}${rest}`;
}

/** What trading felt, as one line. */
function formatTradeWaits(waits: TradeWaits): string {
  if (!waits.measured) return `  trade waits are not measured: ${waits.reason}`;
  const { before, during, lost } = waits;
  return [
    `  trade waits: ${during === undefined ? 'none measured' : formatSummary(during)}`,
    ...(before === undefined ? [] : [`before the work: ${formatSummary(before)}`]),
    ...(lost === undefined ? [] : [`measured until it was lost: ${lost}`]),
  ].join('; ');
}

const formatSummary = ({ p50Ms, p99Ms, p999Ms, longestMs }: WaitSummary): string =>
  `p50 ${formatWait(p50Ms)}, p99 ${formatWait(p99Ms)}, p99.9 ${formatWait(p999Ms)}, longest ${formatWait(longestMs)}`;

const formatShare = (share: number): string => `${Math.floor(share * 100)} %`;
const moving = (text: string): { text: string; stays: false } => ({ text, stays: false });
const staying = (text: string): { text: string; stays: true } => ({ text, stays: true });
