import { sql } from 'drizzle-orm';
import { PgDialect } from 'drizzle-orm/pg-core';
import type { PlanProbe } from '../migrate/plans.ts';
import { sessions } from '../schema/index.ts';

const dayMs = 86_400_000;

/**
 * The two queries that the multi-pair indexes exist for. The values stand for any: what is asked is whether the index
 * serves the statement.
 */
export function listPlanProbes(nowMs: number): PlanProbe[] {
  const discovery = sql`
    select ${sessions.id}, ${sessions.startedAt}, ${sessions.pairs}
    from ${sessions}
    where ${sessions.settleSession} = true
      and (${sessions.settledComplete} is null or ${sessions.settledComplete} = false)
      and ${sessions.startedAt} >= ${nowMs - dayMs}
    order by ${sessions.startedAt} desc, ${sessions.id} desc
    limit ${100}`;
  const containment = sql`
    select ${sessions.id}, ${sessions.startedAt}, ${sessions.pairs}
    from ${sessions}
    where ${sessions.pairs} @> ${JSON.stringify(['BTC/USD'])}::text::jsonb
    order by ${sessions.startedAt} desc, ${sessions.id} desc
    limit ${100}`;
  return [
    {
      name: 'settlement discovery',
      ...toStatement(discovery),
      index: 'idx_sessions_settlement_discovery',
      node: 'Index Scan',
    },
    {
      name: 'pair containment',
      ...toStatement(containment),
      index: 'idx_sessions_pairs_gin',
      node: 'Bitmap Index Scan',
    },
  ];
}

function toStatement(query: ReturnType<typeof sql>): Pick<PlanProbe, 'sql' | 'parameters'> {
  const { sql: text, params } = new PgDialect().sqlToQuery(query);
  return {
    sql: text,
    parameters: params.map((value) => (typeof value === 'number' ? value : String(value))),
  };
}
