import type { WaitSummary } from '../../src/migrate/canary/histogram.ts';
import { type Benchmark, type Measurement, ms } from '../measure.ts';
import { rowCount, withLiveDatabases } from './live-database.ts';
import { dumps, reports, startingServices } from './neighbours.ts';
import { measureUnderLoad, type UnderLoad } from './under-load.ts';
import { byEngine, byStock, inOneTransaction, type Way } from './ways.ts';

const rows = `${rowCount.toLocaleString('en')} sessions and as many fills`;

/** What readers and writers wait while as many sessions as fills migrate under load, against the same load without. */
export const migrationUnderLoad: Benchmark = {
  name: 'migration',
  measure: () =>
    withLiveDatabases(async (next) => measured(await measureUnderLoad(await next(), byEngine('migrate')))),
};

function measured({ idle, during, tookMs, note }: UnderLoad): Measurement[] {
  return [
    {
      what: `longest wait while ${rows} migrate under load`,
      measured: ms(during.longestMs),
      goal: '≤ 100 ms, ≤ 2 × idle',
      against: `idle ${format(idle)}; during ${format(during)}`,
      ok: during.longestMs <= 100 && during.longestMs <= 2 * idle.longestMs,
    },
    {
      what: 'p99.9 of these waits / idle',
      measured: `${(during.p999Ms / idle.p999Ms).toFixed(2)} ×`,
      goal: '≤ 1.3 ×',
      against: `idle ${ms(idle.p999Ms)}`,
      ok: during.p999Ms <= 1.3 * idle.p999Ms,
    },
    {
      what: 'the whole migration',
      measured: `${(tookMs / 1_000).toFixed(1)} s`,
      goal: '≤ 45 s',
      against: note,
      ok: tookMs <= 45_000,
    },
  ];
}

/** The same on a night that is not quiet: on rollback, while services start, and while a report and a dump run. */
export const migrationBeside: Benchmark = {
  name: 'migration-beside',
  measure: () =>
    withLiveDatabases(async (next) => {
      const first = await next();
      const found = tell(measured(await measureUnderLoad(first, byEngine('migrate'))));
      found.push(
        ...tell([beside('on rollback of 002 and 001', await measureUnderLoad(first, byEngine('rollback')))]),
      );
      const withReaders = await measureUnderLoad(await next(), byEngine('migrate'), [reports, dumps]);
      found.push(...tell([beside('while reports and dumps run', withReaders)]));
      const withServices = await measureUnderLoad(await next(), byEngine('migrate'), [startingServices]);
      found.push(...tell([beside('while a service starts every two seconds', withServices)]));
      return found;
    }),
};

/** Each takes minutes: what is measured is said at once, and once more in the table. */
function tell(found: Measurement[]): Measurement[] {
  for (const { what, measured, against } of found) console.error(`${what}: ${measured} (${against})`);
  return found;
}

function beside(when: string, { idle, during, tookMs, note, beside }: UnderLoad): Measurement {
  return {
    what: `longest wait ${when}`,
    measured: ms(during.longestMs),
    goal: '≤ 250 ms',
    against: [
      `idle ${format(idle)}`,
      `during ${format(during)}`,
      `took ${(tookMs / 1_000).toFixed(1)} s`,
      note,
      ...beside,
    ].join('; '),
    ok: during.longestMs <= 250,
  };
}

/** By stock drizzle, where nobody measures and a batch rests for as long as it took. */
export const migrationByStock: Benchmark = {
  name: 'migration-stock',
  measure: () => compare('stock drizzle', byStock),
};

/** The way of the older attempt. */
export const migrationAtOnce: Benchmark = {
  name: 'migration-at-once',
  measure: () => compare('columns and backfill in one transaction', inOneTransaction),
};

const compare = (what: string, way: Way): Promise<Measurement[]> =>
  withLiveDatabases(async (next) => {
    const { idle, during, tookMs } = await measureUnderLoad(await next(), way);
    return [
      {
        what: `longest wait, ${what}, ${rows}`,
        measured: ms(during.longestMs),
        goal: '',
        against: `idle ${format(idle)}; during ${format(during)}; took ${(tookMs / 1_000).toFixed(1)} s`,
        ok: undefined,
      },
    ];
  });

const format = ({ p50Ms, p99Ms, p999Ms, longestMs }: WaitSummary): string =>
  `p50 ${ms(p50Ms)}, p99 ${ms(p99Ms)}, p99.9 ${ms(p999Ms)}, longest ${ms(longestMs)}`;
