import { openConnection } from '../connection/open.ts';
import { count, formatVersion } from '../connection/units.ts';
import { type CheckReport, type Preflight, runPreflight } from '../own/index.ts';
import { defineCommand } from './command.ts';
import { timeLimitInput } from './shared-input.ts';
import { formatTable } from './table.ts';

export const preflight = defineCommand({
  name: 'preflight',
  summary: 'look whether the migrations may run now, and what has to be done first',
  exitCodes: {
    0: 'nothing is in the way',
    1: 'at least one warning or blocker; --json tells them apart (mayRun is false where something blocks)',
    4: 'not checked: a table is locked against readers',
  },
  input: timeLimitInput,
  run: async ({ url, signal }, { timeLimitMs }) => {
    await using connection = await openConnection(url, { signal });
    const result = await runPreflight(connection, { signal, timeLimitMs });
    const { warning, blocker } = result.counts;
    return { exitCode: warning + blocker === 0 ? 0 : 1, result, text: format(result) };
  },
});

function format({ target, versionNumber, checks, counts, mayRun }: Preflight): string {
  const findings = checks.filter(({ level }) => level === 'warning' || level === 'blocker');
  const warnings = count(counts.warning, 'warning', 'warnings');
  const verdict = mayRun
    ? counts.warning === 0
      ? 'may run: nothing is in the way'
      : `may run, with ${warnings}`
    : `may not run: ${count(counts.blocker, 'blocker', 'blockers')}, ${warnings}`;
  return [
    `${target}, PostgreSQL ${formatVersion(versionNumber)}`,
    formatTable(checks.map(({ level, id, found }) => [level, id, found])).join('\n'),
    ...findings.map(formatFinding),
    verdict,
    mayRun
      ? 'next: multi-pair-db backup, then multi-pair-db migrate --dry-run'
      : 'next: multi-pair-db preflight, when that is done',
  ].join('\n\n');
}

function formatFinding({ level, id, found, why, details = [], advice }: CheckReport): string {
  return [
    `${level}: ${id}: ${found}`,
    ...details.map((line) => `  - ${line}`),
    `  why:        ${why}`,
    ...(advice === undefined || advice === '' ? [] : [`  what to do: ${advice}`]),
  ].join('\n');
}
