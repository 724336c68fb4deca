import type { Connection } from './connection.ts';
import { OperationError } from './errors.ts';
import type { ServerRole } from './url/server-settings.ts';

/** Is this the kind of server that `target_session_attrs` asks for? */
export async function fits(connection: Connection, wanted: ServerRole): Promise<boolean> {
  if (wanted === 'any') return true;
  const [row] = await connection.query<{ isStandby: boolean; isReadOnly: boolean }>(
    `select pg_is_in_recovery() as "isStandby",
            pg_is_in_recovery() or current_setting('default_transaction_read_only') = 'on' as "isReadOnly"`,
  );
  if (row === undefined) throw new Error('a select without from has one row');
  const { isStandby, isReadOnly } = row;
  if (wanted === 'primary') return !isStandby;
  if (wanted === 'read-write') return !isReadOnly;
  return wanted === 'read-only' ? isReadOnly : isStandby;
}

export const refuseRole = (wanted: ServerRole): OperationError =>
  new OperationError({
    code: 'READ_ONLY',
    message: `no server of the URL is what target_session_attrs=${wanted} asks for`,
    advice:
      'Name the server that is meant, or take target_session_attrs out of the URL. Which is the primary: select pg_is_in_recovery();',
    isRetryable: true,
  });
