import type { Connection, Parameter } from '../../connection/connection.ts';
import { attempt, type CheckScope } from '../../connection/read-only.ts';
import { count } from '../../connection/units.ts';
import type { Finding } from '../catalog/compare.ts';

/** A query that has to be answered by one index, and how. */
export interface PlanProbe {
  /** What the query is for: `settlement discovery`. */
  readonly name: string;
  /** The statement that services run, with `$1`, `$2`, … */
  readonly sql: string;
  readonly parameters: readonly Parameter[];
  readonly index: string;
  readonly node: 'Index Scan' | 'Bitmap Index Scan';
}

/** What PostgreSQL makes of a probe. */
export interface PlanReport {
  readonly name: string;
  readonly index: string;
  readonly node: PlanProbe['node'];
  /** True if PostgreSQL takes the index as things are. */
  readonly chosen: boolean;
  /** True if it can take it: as things are, or with the planner settings of `asked` turned off. */
  readonly usable: boolean;
  /** Planner settings that had to be off to see it; none where `chosen`. */
  readonly asked: readonly string[];
  /** What it gave when it was run as things are, and how long that took on the server. */
  readonly rows: number;
  readonly durationMs: number;
  /** Rows of the table as the planner estimates them; on a small table it rightly prefers to read it whole. */
  readonly estimatedRows: number;
  /** The plan that shows it, as EXPLAIN prints it, without costs. */
  readonly plan: string;
}

/** What competes with each kind of scan. Without it, PostgreSQL takes the index if it can prove that it may. */
const alternatives = {
  'Index Scan': ['enable_seqscan', 'enable_bitmapscan', 'enable_sort', 'enable_incremental_sort'],
  'Bitmap Index Scan': ['enable_seqscan', 'enable_indexscan', 'enable_indexonlyscan'],
} as const satisfies Record<PlanProbe['node'], readonly string[]>;

/**
 * Asks PostgreSQL how it answers a query, first as things are. A table of a few pages is read whole whatever indexes
 * it has, so where the index is not chosen it asks again with the alternatives turned off: that proves that the index
 * serves the query, and no more. The query is run once, as things are. Call it inside a transaction.
 */
export async function explainPlan(connection: Connection, probe: PlanProbe): Promise<PlanReport> {
  const { name, index, node } = probe;
  const asItIs = await explain(connection, probe);
  const chosen = usesIndex(asItIs, probe);
  const asked = chosen ? [] : alternatives[node];
  const plan = chosen ? asItIs : await explainWithout(connection, probe, asked);
  const [table] = await connection.query<{ rows: number }>(
    `select c.reltuples::float8 as rows
     from pg_class as c join pg_index as i on i.indrelid = c.oid
     where i.indexrelid = to_regclass(quote_ident($1))`,
    [index],
  );
  const estimatedRows = Math.max(0, table?.rows ?? 0);
  const usable = chosen || usesIndex(plan, probe);
  return { name, index, node, chosen, usable, asked, ...(await run(connection, probe)), estimatedRows, plan };
}

async function explain(connection: Connection, { sql, parameters }: PlanProbe): Promise<string> {
  const rows = await connection.query<{ 'QUERY PLAN': string }>(`explain (costs off) ${sql}`, parameters);
  return rows.map((row) => row['QUERY PLAN']).join('\n');
}

/** Runs it, and reads of PostgreSQL what it took; single nodes are not timed, which would cost more than they do. */
async function run(
  connection: Connection,
  { sql, parameters }: PlanProbe,
): Promise<Pick<PlanReport, 'rows' | 'durationMs'>> {
  const [row] = await connection.query<{ 'QUERY PLAN': readonly Analyzed[] }>(
    `explain (analyze, timing off, format json) ${sql}`,
    parameters,
  );
  const [analyzed] = row?.['QUERY PLAN'] ?? [];
  return { rows: analyzed?.Plan['Actual Rows'] ?? 0, durationMs: analyzed?.['Execution Time'] ?? 0 };
}

/** What is needed of PostgreSQL's own document. */
interface Analyzed {
  readonly Plan: { readonly 'Actual Rows': number };
  readonly 'Execution Time': number;
}

async function explainWithout(
  connection: Connection,
  probe: PlanProbe,
  settings: readonly string[],
): Promise<string> {
  await connection.execute('savepoint planner_settings');
  for (const setting of settings) await connection.execute(`set local ${setting} = off`);
  const plan = await explain(connection, probe);
  await connection.execute('rollback to savepoint planner_settings');
  return plan;
}

function usesIndex(plan: string, { node, index }: PlanProbe): boolean {
  // "Bitmap Index Scan on …" does not match an Index Scan, which is "using" its index.
  const scan =
    node === 'Index Scan'
      ? `Index Scan(?: Backward)? using ${index} on `
      : `Bitmap Index Scan on ${index}(?: |$)`;
  return new RegExp(scan, 'm').test(plan);
}

/** From here on reading a table whole costs more than an index; the planner's choice says something then. */
const largeTableRows = 10_000;

/** Explains each probe. An index that a query cannot use is a fault; one that PostgreSQL passes over, a note. */
export async function checkPlans(
  scope: CheckScope,
  probes: readonly PlanProbe[],
  names: readonly string[],
): Promise<{ readonly plans: readonly PlanReport[]; readonly findings: readonly Finding[] }> {
  const plans: PlanReport[] = [];
  const findings: Finding[] = [];
  for (const probe of probes) {
    const expected = `${probe.node} on ${probe.index}`;
    const object = `plan of ${probe.name}`;
    const outcome = names.includes(probe.index)
      ? await attempt(scope, () => explainPlan(scope.connection, probe))
      : { reason: `${probe.index} is missing` };
    if ('reason' in outcome) {
      findings.push({
        level: 'fault',
        object,
        expected,
        found: `not asked: ${outcome.reason}`,
        repair: 'repair what is named above, then run verify --explain again',
      });
      continue;
    }
    plans.push(outcome.result);
    const { usable, chosen, estimatedRows } = outcome.result;
    if (!usable) {
      findings.push({
        level: 'fault',
        object,
        expected,
        found: 'PostgreSQL cannot use that index',
        repair: 'repair the index as named above, then run verify --explain again',
      });
    } else if (!chosen && estimatedRows >= largeTableRows) {
      findings.push({
        level: 'note',
        object,
        expected,
        found: `another plan is chosen on about ${count(estimatedRows, 'row', 'rows')}`,
        repair: 'multi-pair-db maintain analyze',
      });
    }
  }
  return { plans, findings };
}
