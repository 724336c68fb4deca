import type { Connection } from '../../connection/connection.ts';
import { OperationError } from '../../connection/errors.ts';
import { refusePooler } from '../../connection/pooler.ts';
import type { Observation } from './check.ts';

export const poolerWhy =
  'the migrations hold locks and settings of their session, which a pooler in transaction mode shares out';

/** Outside any transaction: it shows in what happens between two of them. */
export async function lookForPooler(connection: Connection): Promise<Observation> {
  try {
    await using second = await connection.openSecond();
    if (second === undefined) return { level: 'ok', found: 'an embedded database: there is no pooler' };
    await refusePooler(connection, second);
    return { level: 'ok', found: 'sessions are not shared' };
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    const { code, message, advice } = error;
    if (code === 'POOLED') return { level: 'blocker', found: message, advice };
    if (code === 'CONNECTION_LOST') throw error;
    return {
      level: 'warning',
      found: `not checked: no second connection could be had (${message})`,
      advice: `${advice} migrate needs a second connection, too.`,
    };
  }
}
