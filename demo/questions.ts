import { and, count, desc, gte, sql } from 'drizzle-orm';
import type { PgliteDatabase } from 'drizzle-orm/pglite';
import { sessions } from '../src/schema/index.ts';
import { createRandom, pick } from './random.ts';

const HOUR_MS = 3_600_000;

/** What a person asks, and what the database answers, a line a session. */
export interface Answer {
  readonly question: string;
  readonly answer: readonly string[];
}

/** A service of the new kind opens sessions of several pairs. Says how many. */
export async function openMultiPairSessions(db: PgliteDatabase, nowMs: number): Promise<number> {
  const random = createRandom(7);
  const rows = Array.from({ length: 60 }, (_, i) => ({
    id: `multi-${String(i).padStart(2, '0')}`,
    exchange: 'kraken',
    strategy: 'spread',
    startedAt: Math.floor(nowMs - random() * 6 * HOUR_MS),
    settleSession: true,
    pairs: pick(random, [
      ['BTC/USD', 'ETH/USD'],
      ['ETH/USD', 'SOL/USD'],
      ['BTC/USD', 'ETH/USD', 'SOL/USD'],
      ['BTC/USD', 'XRP/EUR'],
    ]),
  }));
  await db.insert(sessions).values(rows);
  return rows.length;
}

/** The two questions of the first morning after the migration. */
export async function askQuestions(db: PgliteDatabase): Promise<Answer[]> {
  const unsettled = and(
    sql`settlesession = true and (settledcomplete is null or settledcomplete = false)`,
    gte(sessions.startedAt, Date.now() - 24 * HOUR_MS),
  );
  const both = sql`${sessions.pairs} @> ${JSON.stringify(['BTC/USD', 'ETH/USD'])}::jsonb`;
  return [
    await ask(db, 'Which sessions of the last 24 hours still need settlement?', unsettled),
    await ask(db, 'Which sessions trade BTC/USD and ETH/USD together?', both),
  ];
}

async function ask(db: PgliteDatabase, question: string, which: ReturnType<typeof and>): Promise<Answer> {
  const [total] = await db.select({ sessions: count() }).from(sessions).where(which);
  const newest = await db
    .select({
      id: sessions.id,
      startedAt: sessions.startedAt,
      exchange: sessions.exchange,
      pairs: sessions.pairs,
    })
    .from(sessions)
    .where(which)
    .orderBy(desc(sessions.startedAt), desc(sessions.id))
    .limit(5);
  return {
    question,
    answer: [
      `${total?.sessions ?? 0} sessions; the newest:`,
      ...newest.map(({ id, startedAt, exchange, pairs }) =>
        [new Date(startedAt ?? 0).toISOString(), id, exchange, pairs?.join(' ')].join('  '),
      ),
    ],
  };
}
