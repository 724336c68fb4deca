/** The engine in a process of its own, for `migration.ts`: a fork that is given a URL, and says when it begins and ends. */
import { openConnection } from '../src/connection/open.ts';
import { formatDuration, formatWait } from '../src/connection/units.ts';
import type { TradeWaits } from '../src/migrate/canary/waits.ts';
import { applyMigrations } from '../src/own/index.ts';

export type EngineMessage =
  | { readonly kind: 'begun' }
  | { readonly kind: 'ended'; readonly tookMs: number; readonly note: string };

const [url = ''] = process.argv.slice(2);
await using connection = await openConnection(url);
let begunAt: number | undefined;
const send = (message: EngineMessage): void => void process.send?.(message);
const report = await applyMigrations(connection, {
  onProgress: ({ kind }) => {
    if (kind !== 'started' || begunAt !== undefined) return;
    begunAt = performance.now();
    send({ kind: 'begun' });
  },
});
const tookMs = performance.now() - (begunAt ?? 0);
const files = report.applied.map(({ tag, durationMs }) => `${tag.slice(0, 4)} ${formatDuration(durationMs)}`);
const rested = report.rests.map(({ reason, restedMs }) => `${reason} ${formatDuration(restedMs)}`);
send({
  kind: 'ended',
  tookMs,
  note: `${files.join(', ')}; rests ${rested.join(', ') || 'none'}; canary ${describe(report.tradeWaits)}`,
});
process.disconnect?.();

function describe(waits: TradeWaits | undefined): string {
  if (waits?.measured !== true) return waits?.reason ?? 'none';
  const parts = [waits.before, waits.during].map((summary) =>
    summary === undefined
      ? 'none'
      : [summary.p50Ms, summary.p99Ms, summary.p999Ms, summary.longestMs].map(formatWait).join(' / '),
  );
  return `before ${parts[0]}, during ${parts[1]}`;
}
