import { OperationError } from './errors.ts';
import { quoteIdentifier } from './identifiers.ts';
import type { ServerTarget } from './url.ts';

/** An error of opening a session, as what it means: which server, which role, which database, and what to do. */
export function explainOpening(error: OperationError, { name, settings }: ServerTarget): OperationError {
  const said = explainLogin(error, settings);
  // No statement was run: what nobody foresaw is a fault of the URL, of the network or of the server; and nothing that
  // has been there can have been lost.
  const isUnreachable = error.code === 'STATEMENT_FAILED' || error.code === 'CONNECTION_LOST';
  return new OperationError({
    ...error.toJSON(),
    code: isUnreachable ? 'UNREACHABLE' : error.code,
    message: `${name} can’t be opened: ${said?.message ?? error.message}`,
    advice: said?.advice ?? error.advice,
    statement: undefined,
  });
}

interface Explanation {
  readonly message: string;
  readonly advice: string;
}

function explainLogin(
  { sqlState, serverMessage = '' }: OperationError,
  { user, database, password }: Pick<ServerTarget['settings'], 'user' | 'database' | 'password'>,
): Explanation | undefined {
  const role = quoteIdentifier(user);
  if (sqlState === '3D000') {
    return {
      message: `there is no database ${quoteIdentifier(database)}`,
      advice: `Check the database name in the URL, or create it: create database ${quoteIdentifier(database)};`,
    };
  }
  if (sqlState === '55000' && serverMessage.includes('not currently accepting connections')) {
    return {
      message: serverMessage,
      advice: `A restore may be under way, which keeps sessions out until it has ended. If none is, one was cut off: run, in another database of the server: alter database ${quoteIdentifier(database)} with allow_connections true;`,
    };
  }
  if (sqlState === '28P01') {
    return {
      message: `the server does not let the role ${role} in: the password is wrong, or there is no such role`,
      advice: `Check user and password of the URL${password === undefined ? ' (it has no password, and neither PGPASSWORD nor the password file has one that counts)' : '; a password with / ? # @ or % has to be percent-encoded'}. An administrator sees which: \\du ${role}`,
    };
  }
  if (sqlState !== '28000') return undefined;
  if (serverMessage.includes('pg_hba.conf')) {
    return {
      message: `the server lets the role ${role} into the database ${quoteIdentifier(database)} from nowhere like here: ${serverMessage}`,
      advice:
        'Add a line for this role, database and address to pg_hba.conf (show hba_file;), then: select pg_reload_conf(); Where it says "no encryption", sslmode=require may be let in.',
    };
  }
  if (/does not exist|not permitted to log in/.test(serverMessage)) {
    const isThere = serverMessage.includes('not permitted');
    return {
      message: isThere ? `the role ${role} may not log in` : `there is no role ${role}`,
      advice: `Check the user in the URL, or have an administrator run: ${isThere ? 'alter' : 'create'} role ${role} login;`,
    };
  }
  return {
    message: `the server does not let the role ${role} in: ${serverMessage}`,
    advice: 'Check user, password and certificate of the URL, and what pg_hba.conf asks of this role.',
  };
}
