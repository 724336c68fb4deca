import { openConnection } from '../connection/open.ts';
import { count, formatVersion, formatWait } from '../connection/units.ts';
import {
  type Finding,
  type PlanReport,
  runSmokeTest,
  type SmokeStep,
  type Verification,
  verifyDatabase,
} from '../own/index.ts';
import { defineCommand } from './command.ts';
import { flag } from './parameters.ts';
import { timeLimitInput } from './shared-input.ts';

const levels = `What is missing or different is a fault. What others have added is a note, unless it can refuse a row of our
services: a NOT NULL column without default, a constraint and a unique index are faults.`;

export const verify = defineCommand({
  name: 'verify',
  summary: 'prove that the database is what this release says, or list what differs and how to repair it',
  exitCodes: {
    0: 'verified: no fault; notes may be printed',
    1: 'at least one fault was found',
    4: 'not verified: a table is locked against readers',
  },
  notes: levels,
  input: {
    withPlans: flag(
      '--explain',
      'run settlement discovery and pair containment, and add their plans, times and rows',
    ),
    withSmoke: flag(
      '--smoke',
      'store a multi-pair session, orders and a fill as a service would, look, and roll them back',
    ),
    ...timeLimitInput,
  },
  run: async ({ url, signal }, { withPlans, withSmoke, timeLimitMs }) => {
    await using connection = await openConnection(url, { signal });
    // Loaded only when it is asked for, because it loads Drizzle and the queries, which every start would pay for.
    const explain = withPlans ? await (await import('./probes.ts')).listPlanProbes() : [];
    const result = await verifyDatabase(connection, {
      explain,
      signal,
      timeLimitMs,
    });
    const smoke = withSmoke ? await runSmokeTest(connection) : [];
    const isSound = result.verified && smoke.every(({ passed }) => passed);
    return {
      exitCode: isSound ? 0 : 1,
      result: { ...result, ...(withSmoke && { smoke }) },
      text: format(result, smoke),
    };
  },
});

function format(result: Verification, smoke: readonly SmokeStep[]): string {
  const failed = smoke.filter(({ passed }) => !passed).length;
  const faults = result.findings.filter(({ level }) => level === 'fault').length + failed;
  const rows =
    result.checkedRows === undefined
      ? 'rows not checked'
      : `${count(result.checkedRows, 'row', 'rows')} checked`;
  return [
    `${result.target}, PostgreSQL ${formatVersion(result.versionNumber)}`,
    `${count(result.applied.length, 'migration', 'migrations')} recorded; ${result.comparedObjects} objects of the catalog compared; ${rows}`,
    ...result.findings.map(formatFinding),
    ...result.plans.map(formatPlan),
    ...(smoke.length === 0 ? [] : [formatSmoke(smoke)]),
    faults === 0
      ? 'verified: the database is what this release of multi-pair-db says'
      : `not verified: ${count(faults, 'fault', 'faults')}`,
    faults === 0 ? 'next: multi-pair-db indexes' : 'next: multi-pair-db verify, when that is done',
  ].join('\n\n');
}

function formatFinding({ level, object, expected, found, repair }: Finding): string {
  return [
    `${level}: ${object}`,
    `  expected:   ${expected}`,
    `  found:      ${found}`,
    `  what to do: ${repair}`,
  ].join('\n');
}

function formatSmoke(steps: readonly SmokeStep[]): string {
  const lines = steps.map(({ what, expected, found, passed }) =>
    passed ? `  ok    ${what}` : `  fault ${what}: expected ${expected}, found ${found}`,
  );
  return ['smoke test, rolled back:', ...lines].join('\n');
}

function formatPlan(report: PlanReport): string {
  const { name, index, node, chosen, usable, asked, rows, durationMs, plan } = report;
  const verdict = chosen
    ? `${node} on ${index}, chosen as things are`
    : usable
      ? `${node} on ${index}, with ${asked.join(', ')} off: it serves the query, and PostgreSQL finds the table too small to need it`
      : `no ${node} on ${index}, not even with ${asked.join(', ')} off`;
  const took = `  as things are: ${count(rows, 'row', 'rows')} in ${formatWait(durationMs)}`;
  return [`plan of ${name}: ${verdict}`, took, ...plan.split('\n').map((line) => `  ${line}`)].join('\n');
}
