import { type Database, isUnprepared, withoutPreparedStatements } from './database.ts';
import { propertyOf } from './property.ts';
import { sessionOf } from './session.ts';

/**
 * The replica that a read goes to, where the handle is one of Drizzle's `withReplicas`: the one that Drizzle, or the
 * function that it was told to choose by, would take for a select of its own. Any other handle itself, and also a
 * transaction, which is on the primary.
 *
 * A risk, as in `sendThrough`: neither way of asking Drizzle is a documented one. A release that has neither leaves the
 * reads on the primary, and test/queries/core/replica.test.ts fails on it.
 */
export function replicaOf<D extends Database>(db: D): D {
  const replicas = propertyOf(db, '$replicas');
  if (!Array.isArray(replicas)) return db;
  const session = chosenSession(db);
  const replica: D | undefined = replicas.find((one) => sessionOf(one) === session);
  if (replica === undefined) return db;
  return db[isUnprepared] ? withoutPreparedStatements(replica) : replica;
}

/** 1.0 has a getter that chooses; on 0.45 the builder of a select has the session that it will run on. */
function chosenSession(db: Database): unknown {
  const chosen = propertyOf(db, '$replica');
  if (chosen !== undefined) return propertyOf(propertyOf(chosen, '_'), 'session');
  const select = propertyOf(db, 'select');
  return typeof select === 'function' ? propertyOf(select.call(db), 'session') : undefined;
}
