import { describeSessions } from '../connection/activity.ts';
import { formatDuration, formatWait } from '../connection/units.ts';
import type { WaitSummary } from '../migrate/canary/histogram.ts';
import type { TradeWaits } from '../migrate/canary/waits.ts';
import type { ProgressEvent, ProgressListener } from '../migrate/run/progress.ts';
import { RunView } from './run-view.ts';
import type { Progress } from './terminal/progress.ts';

/**
 * Shows what a run reports. What has happened is a line that stays; what is going on is one line that changes. Tells
 * `progress` how much of the whole is done.
 */
export function showEvents(progress: Progress, now: () => number = Date.now): ProgressListener {
  const view = new RunView(now);
  let waitingFor = '';
  return (event) => {
    view.record(event);
    progress.share = view.share;
    // Whom it waits for is a line that stays, once for each set of sessions: it is read after the run, too.
    if (event.kind === 'waiting' || event.kind === 'lock') {
      const sessions = event.kind === 'lock' ? event.holders : event.for;
      const names = sessions.map((session) => session.pid).join();
      if (names !== waitingFor) progress.line(`  waiting for ${describeSessions(sessions)}`);
      waitingFor = names;
    }
    const text = formatEvent(event);
    if (text !== undefined) progress.line(text);
    else if (moves.has(event.kind)) progress.update(view.line);
  };
}

/** Of which the line tells that moves. */
export const moves: ReadonlySet<ProgressEvent['kind']> = new Set([
  'statement',
  'backfill',
  'index',
  'measuring',
  'trade wait',
  'lock',
  'waiting',
]);

/** What stays to be read. */
function formatEvent(event: ProgressEvent): string | undefined {
  switch (event.kind) {
    case 'started':
      return `${event.tag} (${event.number} of ${event.of})${event.isRepair ? ', repairing what is missing or damaged' : event.isUndo === true ? ', undoing it' : ''}`;
    case 'stepped back':
      return `  stepped back, because others waited: ${describeSessions(event.for)}; tries again (${event.tries})`;
    case 'resting':
      return `  rests: ${event.message}`;
    case 'lagging':
      return `  standby ${event.standby} has not replayed for ${formatDuration(event.lagMs)} what was written here; what runs goes on, and the rest comes right after it`;
    case 'rested':
      // Rests of a moment come and go with the batches; the report has them.
      return event.reason === 'trade' ? undefined : `  goes on after ${formatDuration(event.durationMs)}`;
    case 'trade waits':
      return formatTradeWaits(event.waits);
    case 'notice':
      return `  ${event.message}`;
    case 'finished':
      return `  done in ${formatDuration(event.durationMs)}`;
    default:
      return undefined;
  }
}

/** What trading felt, during the work and before it. */
function formatTradeWaits(waits: TradeWaits): string {
  if (!waits.measured) return `  trade waits are not measured: ${waits.reason}`;
  const { before, during, lost } = waits;
  return [
    `  trade waits: ${during === undefined ? 'none measured' : formatSummary(during)}`,
    ...(before === undefined ? [] : [`  before it:   ${formatSummary(before)}`]),
    ...(lost === undefined ? [] : [`  measured until it was lost: ${lost}`]),
  ].join('\n');
}

const formatSummary = ({ p50Ms, p99Ms, p999Ms, longestMs }: WaitSummary): string =>
  `p50 ${formatWait(p50Ms)}, p99 ${formatWait(p99Ms)}, p99.9 ${formatWait(p999Ms)}, longest ${formatWait(longestMs)}`;
