import { describeSessions } from '../connection/activity.ts';
import { formatDuration } from '../connection/units.ts';
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

const formatShare = (share: number): string => `${Math.floor(share * 100)} %`;
const moving = (text: string): { text: string; stays: false } => ({ text, stays: false });
const staying = (text: string): { text: string; stays: true } => ({ text, stays: true });
