/** The engine in a process of its own, for `ways.ts`: a fork that is given a URL and a task, and says when it begins and ends. */
import { openConnection } from '../../src/connection/open.ts';
import { formatDuration, formatWait } from '../../src/connection/units.ts';
import type { TradeWaits } from '../../src/migrate/canary/waits.ts';
import type { ProgressListener } from '../../src/migrate/run/progress.ts';
import { applyMigrations, rollbackMigration } from '../../src/own/index.ts';

/** All that is pending, or the undo of both files, the later one first. */
export type EngineTask = 'migrate' | 'rollback';

interface Done {
  readonly tookMs: number;
  readonly note: string;
}

export type EngineMessage = { readonly kind: 'begun' } | ({ readonly kind: 'ended' } & Done);

const [url = '', task] = process.argv.slice(2);
await using connection = await openConnection(url);
let begunAt: number | undefined;
const send = (message: EngineMessage): void => void process.send?.(message);
const onProgress: ProgressListener = ({ kind }) => {
  if (kind !== 'started' || begunAt !== undefined) return;
  begunAt = performance.now();
  send({ kind: 'begun' });
};
const done = task === 'migrate' ? await migrate() : await rollBack();
send({ kind: 'ended', ...done });
process.disconnect?.();

async function migrate(): Promise<Done> {
  const report = await applyMigrations(connection, { onProgress });
  const files = report.applied.map(
    ({ tag, durationMs }) => `${tag.slice(0, 4)} ${formatDuration(durationMs)}`,
  );
  const restedMs = report.rests.reduce((sum, rest) => sum + rest.restedMs, 0);
  const note = [
    files.join(', '),
    `${report.rests.length} rests of ${formatDuration(restedMs)}`,
    `${report.stepBacks.length} steps back`,
    `canary ${describe(report.tradeWaits)}`,
  ].join('; ');
  return { tookMs: performance.now() - (begunAt ?? 0), note };
}

async function rollBack(): Promise<Done> {
  const notes: string[] = [];
  // Without the five seconds in which each measures trading before it begins.
  let tookMs = 0;
  for (const file of ['002', '001']) {
    const { durationMs } = await rollbackMigration(connection, file, { acceptDataLoss: true, onProgress });
    tookMs += durationMs;
    notes.push(`${file} ${formatDuration(durationMs)}`);
  }
  return { tookMs, note: notes.join(', ') };
}

function describe(waits: TradeWaits | undefined): string {
  if (waits?.measured !== true) return waits?.reason ?? 'none';
  const parts = [waits.before, waits.during].map((summary) =>
    summary === undefined
      ? 'none'
      : [summary.p50Ms, summary.p99Ms, summary.p999Ms, summary.longestMs].map(formatWait).join(' / '),
  );
  return `before ${parts[0]}, during ${parts[1]}`;
}
