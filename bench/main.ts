/**
 * npm run bench [-- NAME…]: the numbers that the package promises, measured here and now, as one table.
 * Exit code 1 if one is missed.
 */
import { assertSchemaBenchmark } from './assert-schema.ts';
import { helperCall } from './helper-call.ts';
import { importCost } from './import-cost.ts';
import { insertFillsBenchmark } from './insert-fills.ts';
import type { Benchmark, Measurement } from './measure.ts';
import {
  migrationAtOnce,
  migrationBeside,
  migrationByStock,
  migrationUnderLoad,
} from './migration/benchmarks.ts';
import { indexBuilds } from './migration/builds.ts';
import { openOrders } from './open-orders.ts';
import { pairContainment } from './pair-containment.ts';
import { rehearsal } from './rehearsal.ts';
import { saveOrdersBenchmark } from './save-orders.ts';
import { scale } from './scale/benchmark.ts';
import { replica } from './scale/replica.ts';
import { settlementDiscovery } from './settlement-discovery.ts';
import { testDatabase } from './test-database.ts';

const benchmarks: readonly Benchmark[] = [
  helperCall,
  assertSchemaBenchmark,
  testDatabase,
  settlementDiscovery,
  pairContainment,
  openOrders,
  insertFillsBenchmark,
  saveOrdersBenchmark,
  importCost,
  migrationUnderLoad,
  migrationBeside,
  rehearsal,
  migrationByStock,
  migrationAtOnce,
  indexBuilds,
  scale,
  replica,
];

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !benchmarks.some((benchmark) => benchmark.name === name));
if (unknown.length > 0) {
  console.error(
    `no benchmark ${unknown.join(', ')}; there are ${benchmarks.map(({ name }) => name).join(', ')}`,
  );
  process.exit(2);
}

const rows: Measurement[] = [];
for (const benchmark of benchmarks) {
  const isWanted = wanted.length > 0 ? wanted.includes(benchmark.name) : benchmark.onlyByName !== true;
  if (!isWanted) continue;
  console.error(`measuring ${benchmark.name} …`);
  rows.push(...(await benchmark.measure()));
}
printTable(rows);
process.exitCode = rows.some(({ ok }) => ok === false) ? 1 : 0;

function printTable(measurements: readonly Measurement[]): void {
  const lines = [
    ['what', 'measured', 'goal', 'against', 'ok'],
    ...measurements.map(({ what, measured, goal, against, ok }) => [
      what,
      measured,
      goal,
      against,
      ok === undefined ? '' : ok ? 'yes' : 'NO',
    ]),
  ];
  const widths =
    lines[0]?.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0))) ?? [];
  for (const line of lines)
    console.log(
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    );
}
