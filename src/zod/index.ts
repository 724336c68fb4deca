/**
 * Zod schemas for what services take from outside before they hand it to `multi-pair-db/queries`. They refuse what the
 * database would refuse, and keys that no column has; decimals are numbers or exact text. The options of a function are
 * its name with `OptionsSchema`. Needs the optional peer `zod` (4), and nothing else.
 */
import { z } from 'zod';
import { fills } from '../schema/fills.ts';
import { orders } from '../schema/orders.ts';
import { sessions } from '../schema/sessions.ts';
import { pairsSchema } from './options.ts';
import { int64Schema, rowShape, textSchema } from './storable.ts';

export * from './options.ts';

/** A session for `insertSession`. */
export const insertSessionSchema = z
  .strictObject({ ...rowShape(sessions), pairs: pairsSchema.nullable().optional() })
  .omit({ pairCount: true });

/** A session for `saveSessions`: a key that is left out is not touched. */
export const saveSessionSchema = insertSessionSchema;

/** An order for `insertOrders`. */
export const insertOrderSchema = z.strictObject(rowShape(orders)).omit({ pairIndex: true });

/** An order for `saveOrders`: a key that is left out is not touched. */
export const saveOrderSchema = insertOrderSchema;

/**
 * A fill for `insertFills`: the venue's id in whatever form it comes. That `tradeId` and `execId` agree where both are
 * given is for `insertFills` to say.
 */
export const insertFillSchema = z.strictObject({
  ...rowShape(fills),
  id: textSchema.min(1),
  execId: textSchema.min(1).nullable().optional(),
  tradeId: z
    .union([int64Schema, z.int(), textSchema.min(1)])
    .nullable()
    .optional(),
});

/** `correctFill`: a key that is left out stays as it is stored. */
export const correctFillOptionsSchema = z.strictObject({
  id: textSchema,
  // A record first: a Map would do for a fill, by its own `size`.
  set: z.record(z.string(), z.unknown()).pipe(
    insertFillSchema
      .omit({ id: true })
      .refine((set) => Object.values(set).some((value) => value !== undefined), {
        error: 'must give at least one column',
      }),
  ),
});
