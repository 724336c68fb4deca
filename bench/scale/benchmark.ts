import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, totalmem } from 'node:os';
import type { Benchmark, Measurement } from '../measure.ts';
import { drawCurves, slope } from './curves.ts';
import { type MeasuredScale, writePage } from './page.ts';
import { measurePoint, type ScalePoint, type Work } from './point.ts';

/** SCALE_ROWS for a first look; ten million take most of an hour. */
const sizes = (process.env['SCALE_ROWS'] ?? '100000 1000000 10000000').split(' ').map(Number);
const folder = new URL('../../docs/scale/', import.meta.url);

/** The curves over the sizes, which it writes to docs/scale and docs/scale.md. */
export const scale: Benchmark = {
  name: 'scale',
  onlyByName: true,
  measure: async () => {
    let points = await readEarlier();
    for (const rows of sizes) {
      console.error(`${rows.toLocaleString('en')} sessions and as many fills …`);
      const point = await measurePoint(rows);
      points = [...points, point].sort((a, b) => a.rows - b.rows);
      // The next one may take an hour: what is measured is written at once. One point is no curve.
      if (points.length > 1) await writeMeasured(points);
    }
    return [
      ...points.flatMap((point) => [
        describe('migrate', point, point.migrate),
        describe('rollback', point, point.rollback),
      ]),
      ...points.map(describeQueries),
      ...against(points),
    ];
  },
};

const machine = `${availableParallelism()} × ${cpus()[0]?.model ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GB`;

/** What was measured of other sizes on such a machine on the same day: a size can be measured by itself. */
async function readEarlier(): Promise<readonly ScalePoint[]> {
  const file = new URL('points.json', folder);
  if (!existsSync(file)) return [];
  const earlier: MeasuredScale = JSON.parse(await readFile(file, 'utf8'));
  if (earlier.machine !== machine || earlier.on !== today()) return [];
  return earlier.points.filter(({ rows }) => !sizes.includes(rows));
}

const today = (): string => new Date().toISOString().slice(0, 10);

async function writeMeasured(points: readonly ScalePoint[]): Promise<void> {
  const measured = {
    on: today(),
    command: `SCALE_ROWS='${points.map(({ rows }) => rows).join(' ')}' npm run bench -- scale`,
    machine,
    points,
  };
  await mkdir(folder, { recursive: true });
  await writeFile(new URL('points.json', folder), `${JSON.stringify(measured, null, 2)}\n`);
  await writeFile(new URL('curves.svg', folder), drawCurves(points));
  await writePage(measured);
}

const mb = (bytes: number): string => `${Math.round(bytes / 2 ** 20).toLocaleString('en')} MB`;

const describe = (name: string, { rows }: ScalePoint, work: Work): Measurement => ({
  what: `${name}, ${rows.toLocaleString('en')} + ${rows.toLocaleString('en')}`,
  measured: `${(work.tookMs / 1_000).toFixed(1)} s`,
  goal: '',
  against: `longest wait ${work.longestMs.toFixed(0)} ms (idle ${work.idleLongestMs.toFixed(0)} ms), WAL ${mb(work.walBytes)}, grown by ${mb(work.grownBytes)}`,
  ok: undefined,
});

const describeQueries = (point: ScalePoint): Measurement => ({
  what: `queries, ${point.rows.toLocaleString('en')} + ${point.rows.toLocaleString('en')}`,
  measured: '',
  goal: '',
  against: `settlement discovery ${point.settlementDiscoveryMs.toFixed(2)} ms, pair containment ${point.pairContainmentMs.toFixed(2)} ms, insertFills ${point.insertFillsUsPerRow.toFixed(1)} µs a row, saveOrders ${point.saveOrdersUsPerRow.toFixed(1)} µs a row`,
  ok: undefined,
});

/** Ten times the rows may take eleven times the time. */
function against(points: readonly ScalePoint[]): Measurement[] {
  const growth = slope(
    points.map(({ rows }) => rows),
    points.map(({ migrate }) => migrate.tookMs),
  );
  const factor = 10 ** growth;
  return [
    {
      what: 'migrate, ten times the rows',
      measured: `${factor.toFixed(1)} × the time`,
      goal: '≤ 11 ×',
      against: `slope ${growth.toFixed(2)}`,
      ok: points.length > 1 ? factor <= 11 : undefined,
    },
  ];
}
