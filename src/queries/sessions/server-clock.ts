import { sql } from 'drizzle-orm';

/** The server's clock, epoch ms: the clocks of several services differ. */
export const serverNowMs = sql`(extract(epoch from statement_timestamp()) * 1000)::bigint`;
