import { compareCatalogs, type Finding, nameObject } from '../catalog/compare.ts';
import type { RowRule } from '../project.ts';
import { checkRows } from '../verify/check-rows.ts';
import { type Check, type CheckContext, count, isPending } from './check.ts';

/** The faults that `verify` would find now, without what the pending files are going to make. */
function sortFaults(context: CheckContext): { readonly recorded: Finding[]; readonly surplus: Finding[] } {
  const { expected, live, migrations } = context;
  const isApplied = ({ migration }: { readonly migration: string }): boolean =>
    migrations.applied.has(migration);
  const known = new Set(expected.map(nameObject));
  const applied = new Set(expected.filter(isApplied).map(nameObject));
  const procedures = expected.filter(({ kind }) => kind === 'procedure');
  const recorded: Finding[] = [];
  const surplus: Finding[] = [];
  for (const finding of compareCatalogs(expected, live, migrations)) {
    const { level, object, found } = finding;
    if (level === 'note') continue;
    if (applied.has(object)) recorded.push(finding);
    // All procedures at once, where their schema is empty or gone.
    else if (!known.has(object) && found === 'missing' && procedures.some(isApplied)) recorded.push(finding);
    else if (!known.has(object) && found !== 'missing') surplus.push(finding);
  }
  return { recorded, surplus };
}

const describe = ({ object, found, repair }: Finding): string => `${object}: ${found}; ${repair}`;

export const asRecorded: Check = {
  id: 'as-recorded',
  why: 'what the journal says is applied is not made again: services and later files rely on it, whatever has become of it',
  look: async (context) => {
    // An index that is there, but INVALID or defined otherwise, is told among the damaged ones.
    const found = new Set(context.live.filter(({ kind }) => kind === 'index').map(nameObject));
    const faults = sortFaults(context).recorded.filter(({ object }) => !found.has(object));
    if (context.history.applied.length === 0) return { level: 'ok', found: 'nothing is recorded as applied' };
    if (faults.length === 0) return { level: 'ok', found: 'all that is recorded as applied is there' };
    // A later file works on tables, columns and procedures of earlier ones, and fails without.
    const isNeeded = ({ object }: Finding): boolean => /^(table|column|procedures?) /.test(object);
    const blocks = context.history.pending.length > 0 && faults.some(isNeeded);
    return {
      level: blocks ? 'blocker' : 'warning',
      found: `${count(faults.length, 'object')} of applied migrations missing or not as they made it`,
      details: faults.map(describe),
      advice: 'Run what stands behind each, or restore a backup; `multi-pair-db verify` proves it.',
    };
  },
};

export const refusesRows: Check = {
  id: 'refuses-rows',
  why: 'a NOT NULL column, a constraint or a unique index that this package does not know can refuse what it writes',
  look: async (context) => {
    const faults = sortFaults(context).surplus.filter(({ object }) => !isLeftover(context, object));
    if (faults.length === 0)
      return { level: 'ok', found: 'nothing of others refuses rows that this package writes' };
    return {
      level: 'warning',
      found: `${count(faults.length, 'object')} of others can refuse rows`,
      details: faults.map(describe),
      advice: 'Look whether each lets the rows of this package through; what is meant to be there may stay.',
    };
  },
};

/** Set aside by a run that broke off: the file drops it when its successor stands. */
const isLeftover = (context: CheckContext, object: string): boolean =>
  context.expected.some(
    (wanted) =>
      isPending(context, wanted.migration) &&
      ['__set_aside', '__broken'].some((suffix) => object === `${nameObject(wanted)}${suffix}`),
  );

export const rowsAsRecorded: Check = {
  id: 'rows-as-recorded',
  why: 'rows that break what an applied migration promises are found by no query that relies on it',
  look: async (context) => {
    const rules = (context.project.rowRules ?? []).filter((rule) => isDue(context, rule));
    if (rules.length === 0)
      return { level: 'skipped', found: 'no applied migration promises anything of rows' };
    const { findings, checkedRows } = await checkRows(context.scope, rules, context.live, context.migrations);
    if (findings.length === 0) return { level: 'ok', found: `${count(checkedRows ?? 0, 'row')} as promised` };
    return {
      level: 'warning',
      found: 'rows are not as applied migrations promise',
      details: findings.map(describe),
      advice: 'Run what stands behind each; `multi-pair-db verify` proves it.',
    };
  },
};

/** Are the columns of a rule, and what puts its rows right, all of applied migrations? */
function isDue({ expected, migrations }: CheckContext, { columns, migration }: RowRule): boolean {
  const makers = expected
    .filter(({ kind, table, name }) => kind === 'column' && columns.includes(`${table}.${name}`))
    .map((column) => column.migration);
  return [...makers, ...(migration === undefined ? [] : [migration])].every((tag) =>
    migrations.applied.has(tag),
  );
}
