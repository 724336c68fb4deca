import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from '../../connection/connection.ts';
import type { Canary } from '../canary/canary.ts';
import { startCanary } from '../canary/start.ts';
import { defaultBaselineMs } from './options.ts';
import type { ProgressListener } from './progress.ts';

interface MeasuringOptions {
  readonly tag: string;
  readonly limitMs: number;
  readonly baselineMs: number | undefined;
  readonly signal: AbortSignal | undefined;
  readonly emit: ProgressListener;
}

/**
 * Begins to measure what trading feels, first for some seconds without the work, which begins when this returns. Undefined
 * where it can't be measured; the listener is told why.
 */
export async function beginMeasuring(
  connection: Connection,
  tables: readonly string[],
  { tag, limitMs, baselineMs, signal, emit }: MeasuringOptions,
): Promise<Canary | undefined> {
  const canary = await startCanary(connection, tables, limitMs, {
    onSecond: (longestMs, longestSoFarMs) => emit({ kind: 'trade wait', longestMs, longestSoFarMs }),
    onFault: (message) => emit({ kind: 'notice', tag, message }),
  });
  if ('off' in canary) {
    emit({ kind: 'trade waits', waits: { measured: false, reason: canary.off } });
    return undefined;
  }
  const forMs = baselineMs ?? (canary.isSmall ? 0 : defaultBaselineMs);
  if (forMs > 0) {
    emit({ kind: 'measuring', forMs });
    // Told to stop, it goes on at once to the next step, which refuses.
    await sleep(forMs, undefined, { signal }).catch(() => {});
  }
  if (signal?.aborted !== true) canary.beginWork();
  return canary;
}
