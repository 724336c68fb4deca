/**
 * The relations between the tables as Drizzle 0.45 takes them: `drizzle({ client, schema: { ...schema, ...relations } })`.
 * Drizzle 1.0 has no `relations` and takes them from `multi-pair-db/relations-v2`, which is why they are no part of
 * `multi-pair-db/schema`.
 */
import { relations } from 'drizzle-orm';
import { fills } from './fills.ts';
import { orders } from './orders.ts';
import { sessions } from './sessions.ts';

/** A session has its orders and its fills. */
export const sessionsRelations = relations(sessions, ({ many }) => ({
  orders: many(orders),
  fills: many(fills),
}));

/** An order belongs to a session and has its fills. */
export const ordersRelations = relations(orders, ({ one, many }) => ({
  session: one(sessions, { fields: [orders.sessionId], references: [sessions.id] }),
  fills: many(fills),
}));

/** A fill belongs to an order and to a session; older rows lack either. */
export const fillsRelations = relations(fills, ({ one }) => ({
  order: one(orders, { fields: [fills.orderId], references: [orders.id] }),
  session: one(sessions, { fields: [fills.sessionId], references: [sessions.id] }),
}));
