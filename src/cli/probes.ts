import { drizzle } from 'drizzle-orm/pg-proxy';
import type { PlanProbe } from '../migrate/verify/plan-probes.ts';
import { type Database, listSessionsByPair, listSessionsToSettle } from '../queries/index.ts';

/**
 * The two queries that the multi-pair indexes exist for, as the statements that `multi-pair-db/queries` sends. The
 * values stand for any: what is asked is whether the index serves the statement.
 */
export async function listPlanProbes(): Promise<PlanProbe[]> {
  return [
    {
      name: 'settlement discovery',
      ...(await captureLast((db) => listSessionsToSettle(db))),
      index: 'idx_sessions_settlement_discovery',
      node: 'Index Scan',
    },
    {
      // It first walks down the newest sessions; where few of them hold the pair, the index has the last word.
      name: 'pair containment',
      ...(await captureLast((db) => listSessionsByPair(db, { pair: 'BTC/USD' }))),
      index: 'idx_sessions_pairs_gin',
      node: 'Bitmap Index Scan',
    },
  ];
}

type Statement = Pick<PlanProbe, 'sql' | 'parameters'>;

/** The last statement that a query sends to a database that has no rows: the very text, and not one written like it. */
async function captureLast(run: (db: Database) => Promise<unknown>): Promise<Statement> {
  const sent: Statement[] = [];
  await run(
    drizzle(async (sql, parameters: unknown[]) => {
      sent.push({ sql, parameters: parameters.map(toParameter) });
      return { rows: [] };
    }),
  );
  const last = sent.at(-1);
  if (last === undefined) throw new Error('a query that sends nothing has no plan');
  return last;
}

const toParameter = (value: unknown): string | number | null =>
  value === null || typeof value === 'number' ? value : String(value);
