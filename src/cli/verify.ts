import { openConnection } from '../connection/open.ts';
import { formatVersion } from '../connection/units.ts';
import { type Finding, type PlanReport, type Verification, verifyDatabase } from '../own/index.ts';
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
    withPlans: flag('--explain', 'add the plans of settlement discovery and pair containment'),
    ...timeLimitInput,
  },
  run: async ({ url, signal }, { withPlans, timeLimitMs }) => {
    await using connection = await openConnection(url, { signal });
    // Loaded only when it is asked for, because it loads Drizzle and the queries, which every start would pay for.
    const explain = withPlans ? await (await import('./probes.ts')).listPlanProbes() : [];
    const result = await verifyDatabase(connection, {
      explain,
      signal,
      timeLimitMs,
    });
    return { exitCode: result.verified ? 0 : 1, result, text: format(result) };
  },
});

function format(result: Verification): string {
  const faults = result.findings.filter(({ level }) => level === 'fault').length;
  const rows = result.checkedRows === undefined ? 'rows not checked' : `${result.checkedRows} rows checked`;
  return [
    `${result.target}, PostgreSQL ${formatVersion(result.versionNumber)}`,
    `${result.applied.length} migrations recorded; ${result.comparedObjects} objects of the catalog compared; ${rows}`,
    ...result.findings.map(formatFinding),
    ...result.plans.map(formatPlan),
    faults === 0
      ? 'verified: the database is what this release of multi-pair-db says'
      : `not verified: ${faults} ${faults === 1 ? 'fault' : 'faults'}`,
  ].join('\n\n');
}

function formatFinding({ level, object, expected, found, repair }: Finding): string {
  return [
    `${level}: ${object}`,
    `  expected  ${expected}`,
    `  found     ${found}`,
    `  ${level === 'fault' ? 'repair by' : 'to do    '} ${repair}`,
  ].join('\n');
}

function formatPlan({ name, index, node, chosen, usable, asked, plan }: PlanReport): string {
  const verdict = chosen
    ? `${node} on ${index}, chosen as things are`
    : usable
      ? `${node} on ${index}, with ${asked.join(', ')} off: it serves the query, and PostgreSQL finds the table too small to need it`
      : `no ${node} on ${index}, not even with ${asked.join(', ')} off`;
  return [`plan of ${name}: ${verdict}`, ...plan.split('\n').map((line) => `  ${line}`)].join('\n');
}
