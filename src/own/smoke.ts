import { randomUUID } from 'node:crypto';
import type { Connection, Parameter } from '../connection/connection.ts';
import { OperationError } from '../connection/errors.ts';

/** One thing that a service relies on, and what the database made of it. */
export interface SmokeStep {
  /** `a session of two pairs is counted` */
  readonly what: string;
  readonly expected: string;
  readonly found: string;
  readonly passed: boolean;
}

interface Case {
  readonly what: string;
  readonly sql: string;
  readonly parameters: readonly Parameter[];
  readonly expected: string;
}

/**
 * Does what the first multi-pair session of a service will do, looks at what the database makes of it, and takes it all
 * back: a session of two pairs, one of the old kind, orders and a fill, in one transaction that is rolled back. Nobody else
 * sees them, and no lock is taken but those on these rows. Triggers of others fire, and are rolled back with it.
 *
 * A step that can't be done ends it: `found` says why, and the steps after it are not tried.
 *
 * @example
 * await using connection = await openConnection('postgres://localhost/trading');
 * const steps = await runSmokeTest(connection);
 * for (const { what, expected, found } of steps.filter(({ passed }) => !passed)) console.log(what, expected, found);
 * @throws OperationError where the connection is lost
 */
export async function runSmokeTest(connection: Connection): Promise<readonly SmokeStep[]> {
  const steps: SmokeStep[] = [];
  await connection.execute('begin');
  try {
    // Somebody who holds a table against writers would hold the test, and whoever queues behind it; and a client that is
    // stopped in the middle would keep the rows, and an index build, waiting for it.
    await connection.execute(
      "set local lock_timeout = '1s'; set local statement_timeout = '10s'; set local idle_in_transaction_session_timeout = '10s'",
    );
    for (const one of cases(`multi-pair-db-smoke-${randomUUID()}`)) {
      const step = await tryCase(connection, one);
      steps.push(step);
      if (!step.passed) break;
    }
  } finally {
    await connection.execute('rollback');
  }
  return steps;
}

async function tryCase(
  connection: Connection,
  { what, sql, parameters, expected }: Case,
): Promise<SmokeStep> {
  try {
    const [row] = await connection.query<{ found: string }>(sql, parameters);
    const found = row?.found ?? 'no row';
    return { what, expected, found, passed: found === expected };
  } catch (error) {
    if (!(error instanceof OperationError) || error.sqlState === undefined) throw error;
    const refusal = `${error.serverMessage ?? error.message} (SQLSTATE ${error.sqlState})`;
    return { what, expected, found: refusal, passed: refusal.includes(expected) };
  }
}

function cases(id: string): readonly Case[] {
  const [one, two] = ['AAA/SMOKE', 'BBB/SMOKE'];
  return [
    {
      what: 'a session of two pairs is stored, and its pairs are counted',
      sql: `insert into sessions (id, pairs, settlesession, startedat) values ($1, $2::text::jsonb, true, 1)
        returning pair_count::text as found`,
      parameters: [id, JSON.stringify([one, two])],
      expected: '2',
    },
    {
      what: 'a session of the old kind gets its pair',
      sql: `insert into sessions (id, symbol) values ($1, $2) returning pairs::text || ' ' || pair_count as found`,
      parameters: [`${id}-old`, one],
      expected: `["${one}"] 1`,
    },
    {
      what: 'an order gets the position of its symbol',
      sql: `insert into orders (id, sessionid, symbol) values ($1, $1, $2) returning pair_index::text as found`,
      parameters: [id, two],
      expected: '1',
    },
    {
      what: 'the session is found by its pair',
      sql: `select id as found from sessions where pairs @> $2::text::jsonb and id = $1`,
      parameters: [id, JSON.stringify([two])],
      expected: id,
    },
    {
      what: 'the session awaits settlement',
      sql: `select id as found from sessions
        where settlesession = true and (settledcomplete is null or settledcomplete = false) and startedat >= 1 and id = $1`,
      parameters: [id],
      expected: id,
    },
    {
      what: 'a fill is stored',
      sql: `insert into fills (id, sessionid, orderid, symbol, side, "timestamp", price, size)
        values ($1, $1, $1, $2, 'buy', 1, 1, 1) returning id as found`,
      parameters: [id, two],
      expected: id,
    },
    // The last, because the refusal that is expected ends the transaction.
    {
      what: 'the same fill is refused under another id',
      sql: `insert into fills (id, sessionid, orderid, symbol, side, "timestamp", price, size)
        values ($1 || '-again', $1, $1, $2, 'BUY', 1, 1, 1) returning id as found`,
      parameters: [id, two],
      expected: 'idx_fills_unique_dedup',
    },
  ];
}
