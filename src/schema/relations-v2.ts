/**
 * The relations between the tables as Drizzle 1.0 takes them: `drizzle({ client, relations })`. A service with tables of
 * its own adds them: `drizzle({ client, relations: { ...relations, ...defineRelationsPart(…) } })`. In the form of 0.45 they
 * are in `multi-pair-db/relations`.
 */
import { defineRelations } from 'drizzle-orm';
import { fills } from './fills.ts';
import { orders } from './orders.ts';
import { sessions } from './sessions.ts';

/** A session has orders and fills; an order has its session and fills; a fill its order and session, where it names them. */
export const relations = defineRelations({ sessions, orders, fills }, (r) => ({
  /** A session has its orders and its fills. */
  sessions: { orders: r.many.orders(), fills: r.many.fills() },
  /** An order belongs to a session and has its fills. */
  orders: {
    session: r.one.sessions({ from: r.orders.sessionId, to: r.sessions.id }),
    fills: r.many.fills(),
  },
  /** A fill belongs to an order and to a session; older rows lack either. */
  fills: {
    order: r.one.orders({ from: r.fills.orderId, to: r.orders.id }),
    session: r.one.sessions({ from: r.fills.sessionId, to: r.sessions.id }),
  },
}));
