/**
 * Zod schemas for what services take from outside before they hand it to `multi-pair-db/queries`. They refuse what the
 * database would refuse, and keys that no column has; decimals are numbers or exact text. The options of a function are
 * its name with `OptionsSchema`. Needs the optional peers `zod` (4) and `drizzle-zod`.
 */
import { createInsertSchema } from 'drizzle-zod';
import { z } from 'zod';
import { fills } from '../schema/fills.ts';
import { orders } from '../schema/orders.ts';
import { sessions } from '../schema/sessions.ts';
import { pairsSchema } from './options.ts';
import { refineForPostgres, textSchema } from './storable.ts';

export * from './options.ts';

/** A session for `insertSession`. */
export const insertSessionSchema = createInsertSchema(sessions, refineForPostgres(sessions))
  .omit({ pairCount: true })
  .extend({ pairs: pairsSchema.nullable().optional() })
  .strict();

/** A session for `saveSessions`: a key that is left out is not touched. */
export const saveSessionSchema = insertSessionSchema;

/** An order for `insertOrders`. */
export const insertOrderSchema = createInsertSchema(orders, refineForPostgres(orders))
  .omit({ pairIndex: true })
  .strict();

/** An order for `saveOrders`: a key that is left out is not touched. */
export const saveOrderSchema = insertOrderSchema;

/**
 * A fill for `insertFills`: the venue's id in whatever form it comes. That `tradeId` and `execId` agree where both are
 * given is for `insertFills` to say.
 */
export const insertFillSchema = createInsertSchema(fills, refineForPostgres(fills))
  .extend({
    id: textSchema.min(1),
    execId: textSchema.min(1).nullable().optional(),
    tradeId: z
      .union([
        z
          .bigint()
          .min(-(2n ** 63n))
          .max(2n ** 63n - 1n),
        z.int(),
        textSchema.min(1),
      ])
      .nullable()
      .optional(),
  })
  .strict();

/** `correctFill`: a key that is left out stays as it is stored. */
export const correctFillOptionsSchema = z.strictObject({
  id: textSchema,
  set: insertFillSchema
    .omit({ id: true })
    .refine((set) => Object.values(set).some((value) => value !== undefined), {
      error: 'must give at least one column',
    }),
});
