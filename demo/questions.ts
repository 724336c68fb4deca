import type { PgliteDatabase } from 'drizzle-orm/pglite';
import {
  insertSession,
  listSessionsByPairs,
  listSessionsToSettle,
  type SessionSummary,
} from '../src/queries/index.ts';
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
  for (let i = 0; i < 60; i++) {
    await insertSession(db, {
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
    });
  }
  return 60;
}

/** The two questions of the first morning after the migration. */
export async function askQuestions(db: PgliteDatabase): Promise<Answer[]> {
  return [
    {
      question: 'Which sessions of the last 24 hours still need settlement?',
      answer: describe(await listSessionsToSettle(db, { lookbackHours: 24, limit: 1000 })),
    },
    {
      question: 'Which sessions trade BTC/USD and ETH/USD together?',
      answer: describe(
        await listSessionsByPairs(db, { pairs: ['BTC/USD', 'ETH/USD'], match: 'all', limit: 1000 }),
      ),
    },
  ];
}

function describe(sessions: readonly SessionSummary[]): string[] {
  const atLeast = sessions.length === 1000 ? 'at least ' : '';
  return [
    `${atLeast}${sessions.length} sessions; the newest:`,
    ...sessions
      .slice(0, 5)
      .map(({ id, startedAt, exchange, pairs }) =>
        [new Date(startedAt ?? 0).toISOString(), id, exchange, pairs?.join(' ')].join('  '),
      ),
  ];
}
