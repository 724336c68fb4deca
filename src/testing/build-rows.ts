import type { FillInput } from '../queries/fills/fill-input.ts';
import type { OrderInput } from '../queries/orders/insert-orders.ts';
import type { SessionInput } from '../queries/sessions/insert-session.ts';

/** 2026-01-01T00:00:00Z: the same in every run, so that a test that fails fails again. */
const firstMs = Date.UTC(2026, 0, 1);
let built = 0;
/** A number of its own for each row of this process, from 1; a second later for each. */
const next = (): { readonly n: number; readonly atMs: number } => ({
  n: ++built,
  atMs: firstMs + built * 1_000,
});

/**
 * A running session of `BTC/USD` that is to be settled, with an id of its own. What is given replaces what is made up.
 *
 * @example
 * await insertSession(db, buildSession({ id: 's-1', pairs: ['BTC/USD', 'ETH/USD'] }));
 */
export function buildSession(given: Partial<SessionInput> = {}): SessionInput {
  const { n, atMs } = next();
  return {
    id: `session-${n}`,
    symbol: 'BTC/USD',
    exchange: 'kraken',
    status: 'running',
    startedAt: atMs,
    settleSession: true,
    ...given,
  };
}

/**
 * An open order to buy 1 `BTC/USD` at 100, with an id of its own and of no session: give `sessionId`.
 *
 * @example
 * await insertOrders(db, [buildOrder({ id: 'o-1', sessionId: 's-1', side: 'sell' })]);
 */
export function buildOrder(given: Partial<OrderInput> = {}): OrderInput {
  const { n, atMs } = next();
  return {
    id: `order-${n}`,
    symbol: 'BTC/USD',
    side: 'buy',
    type: 'limit',
    status: 'open',
    price: '100',
    size: '1',
    timestamp: atMs,
    ...given,
  };
}

/**
 * A fill of 1 `BTC/USD` bought at 100, with an id and a venue's trade id of its own, so that no two are one execution.
 * It is of no session and no order: give `sessionId` and `orderId`.
 *
 * @example
 * await insertFills(db, [buildFill({ sessionId: 's-1', orderId: 'o-1', price: '101.5' })]);
 */
export function buildFill(given: Partial<FillInput> = {}): FillInput {
  const { n, atMs } = next();
  return {
    id: `fill-${n}`,
    symbol: 'BTC/USD',
    side: 'buy',
    price: '100',
    size: '1',
    timestamp: atMs,
    tradeId: BigInt(n),
    ...given,
  };
}
