import type { Connection } from '../../connection/connection.ts';
import { quoteIdentifier } from '../../connection/identifiers.ts';
import { isBeingBuilt } from '../catalog/building.ts';
import { readConcurrentIndex } from '../plan/head.ts';

/** Longer, and an operator who has just read of the failure would wonder; the drop waits for old transactions, too. */
const dropTimeout = '5s';

/**
 * A unique index whose build failed is INVALID and serves no query, but PostgreSQL maintains it: it goes on to refuse the
 * rows of services. So it is dropped where it can be, at once. Says what became of it; undefined where there is none.
 */
export async function dropFailedBuild(
  connection: Connection,
  statement: string,
): Promise<string | undefined> {
  const index = readConcurrentIndex(statement);
  if (index === undefined) return undefined;
  try {
    await connection.execute('rollback');
    const [left] = await connection.query<{ name: string }>(
      `select c.relname::text as name
       from pg_index as i join pg_class as c on c.oid = i.indexrelid
       where i.indexrelid = to_regclass($1) and i.indisunique and not i.indisvalid and not ${isBeingBuilt('i.indexrelid')}`,
      [index],
    );
    if (left === undefined) return undefined;
    await connection.execute(`set statement_timeout = '${dropTimeout}'`);
    await connection.execute(`drop index concurrently if exists ${quoteIdentifier(left.name)}`);
    return `${left.name}, which the build left INVALID, is dropped again: it would have refused rows of services.`;
  } catch {
    // The failure of the build is the one to report; this one only adds to what is left.
    return `${index} may be left INVALID; a unique one goes on to refuse rows of services: drop index concurrently ${index};`;
  }
}
