import type { Connection } from './connection.ts';
import { OperationError } from './errors.ts';
import { quoteIdentifier } from './identifiers.ts';

/**
 * Makes a database, of `template` where it is given.
 *
 * @throws OperationError `PRIVILEGE_MISSING`, with the statement that grants it: the owner of the tables need not be one who
 *   may create databases
 */
export async function createDatabase(
  connection: Connection,
  name: string,
  template?: 'template0',
): Promise<void> {
  const from = template === undefined ? '' : ` template ${template}`;
  try {
    await connection.execute(`create database ${quoteIdentifier(name)}${from}`);
  } catch (error) {
    if (!(error instanceof OperationError) || error.sqlState !== '42501') throw error;
    const [row] = await connection.query<{ role: string }>('select current_user::text as role');
    throw new OperationError({
      ...error.toJSON(),
      advice: `Let a superuser run: alter role ${quoteIdentifier(row?.role ?? '')} createdb; nocreatedb takes it back afterwards.`,
    });
  }
}
