import type { ScalePoint } from './point.ts';

/** A curve: what it is called, and its value at each size; all values of a chart share a unit. */
interface Curve {
  readonly name: string;
  readonly colour: string;
  readonly values: readonly number[];
}

const width = 690;
const height = 300;
const margin = { left: 70, right: 240, top: 30, bottom: 40 };

/** The charts, one above the other, with both axes by powers of ten: a straight line of slope 1 grows as the rows do. */
export function drawCurves(points: readonly ScalePoint[]): string {
  const of = (value: (point: ScalePoint) => number): number[] => points.map(value);
  const charts = [
    drawChart('Time of the work, s', points, [
      { name: 'migrate', colour: '#2563eb', values: of(({ migrate }) => migrate.tookMs / 1_000) },
      { name: 'rollback', colour: '#d97706', values: of(({ rollback }) => rollback.tookMs / 1_000) },
    ]),
    drawChart('Longest wait of a trade, ms', points, [
      { name: 'migrate', colour: '#2563eb', values: of(({ migrate }) => migrate.longestMs) },
      { name: 'rollback', colour: '#d97706', values: of(({ rollback }) => rollback.longestMs) },
      { name: 'no work', colour: '#6b7280', values: of(({ migrate }) => migrate.idleLongestMs) },
    ]),
    drawChart('WAL of the work, MB', points, [
      { name: 'migrate', colour: '#2563eb', values: of(({ migrate }) => megabytes(migrate.walBytes)) },
      { name: 'rollback', colour: '#d97706', values: of(({ rollback }) => megabytes(rollback.walBytes)) },
    ]),
    drawChart('Disk, MB', points, [
      { name: 'before', colour: '#6b7280', values: of(({ startBytes }) => megabytes(startBytes)) },
      {
        name: 'migrated',
        colour: '#2563eb',
        values: of(({ startBytes, migrate }) => megabytes(startBytes + migrate.grownBytes)),
      },
    ]),
    drawChart('Queries: ms a page of 100, µs a row written', points, [
      { name: 'settlement discovery', colour: '#2563eb', values: of((point) => point.settlementDiscoveryMs) },
      { name: 'pair containment', colour: '#d97706', values: of((point) => point.pairContainmentMs) },
      { name: 'insertFills', colour: '#059669', values: of((point) => point.insertFillsUsPerRow) },
      { name: 'saveOrders', colour: '#be185d', values: of((point) => point.saveOrdersUsPerRow) },
    ]),
  ];
  const total = charts.length * height;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${total}" width="${width}" height="${total}" font-family="sans-serif" font-size="12" role="img">
<title>Migration, waits and queries by the number of rows</title>
<rect width="${width}" height="${total}" fill="#fff"/>
${charts.map((chart, at) => `<g transform="translate(0 ${at * height})">\n${chart}\n</g>`).join('\n')}
</svg>
`;
}

function drawChart(title: string, points: readonly ScalePoint[], curves: readonly Curve[]): string {
  const sizes = points.map(({ rows }) => rows);
  const [low, high] = bounds(curves.flatMap(({ values }) => values));
  const [first, last] = [Math.log10(Math.min(...sizes)), Math.log10(Math.max(...sizes))];
  const x = (rows: number): number =>
    margin.left +
    ((Math.log10(rows) - first) / Math.max(1e-9, last - first)) * (width - margin.left - margin.right);
  const y = (value: number): number =>
    height -
    margin.bottom -
    ((Math.log10(value) - low) / (high - low)) * (height - margin.top - margin.bottom);
  const lines = Array.from({ length: high - low + 1 }, (_, at) => 10 ** (low + at));
  return [
    `<text x="${margin.left}" y="18" font-weight="bold">${title}</text>`,
    ...lines.map(
      (value) =>
        `<path d="M${margin.left} ${round(y(value))}H${width - margin.right}" stroke="#e5e7eb"/><text x="${margin.left - 8}" y="${round(y(value) + 4)}" text-anchor="end">${value.toLocaleString('en')}</text>`,
    ),
    ...sizes.map(
      (rows) =>
        `<text x="${round(x(rows))}" y="${height - 18}" text-anchor="middle">${rows.toLocaleString('en')}</text>`,
    ),
    ...curves.map(({ name, colour, values }, at) => {
      const path = values
        .map((value, n) => `${n === 0 ? 'M' : 'L'}${round(x(sizes[n] ?? 1))} ${round(y(value))}`)
        .join('');
      return `<path d="${path}" fill="none" stroke="${colour}" stroke-width="2"/><text x="${width - margin.right + 10}" y="${margin.top + 16 + at * 18}" fill="${colour}">${name}, slope ${slope(sizes, values).toFixed(2)}</text>`;
    }),
  ].join('\n');
}

/** The powers of ten that hold all values. */
function bounds(values: readonly number[]): [number, number] {
  const low = Math.floor(Math.log10(Math.min(...values)));
  return [low, Math.max(low + 1, Math.ceil(Math.log10(Math.max(...values))))];
}

/** Of the straight line that comes closest in logarithms (least squares): 1 grows as the rows, 0 not at all. */
export function slope(sizes: readonly number[], values: readonly number[]): number {
  const mean = (list: readonly number[]): number => list.reduce((sum, value) => sum + value, 0) / list.length;
  const [xs, ys] = [sizes.map(Math.log10), values.map(Math.log10)];
  const [middleX, middleY] = [mean(xs), mean(ys)];
  const over = xs.reduce((sum, value, n) => sum + (value - middleX) * ((ys[n] ?? 0) - middleY), 0);
  const under = xs.reduce((sum, value) => sum + (value - middleX) ** 2, 0);
  return under === 0 ? 0 : over / under;
}

const megabytes = (bytes: number): number => bytes / 2 ** 20;

const round = (value: number): string => value.toFixed(1);
