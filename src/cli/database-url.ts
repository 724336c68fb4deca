import { existsSync } from 'node:fs';
import { OperationError } from '../connection/errors.ts';

/**
 * The database to work on: `--url`, else `DATABASE_URL`, also from `.env` in the working directory (which never
 * overrides the environment).
 *
 * @throws OperationError `URL_MISSING`: there is no default, and never a silent embedded run.
 */
export function readUrl(option: string | undefined): string {
  if (option !== undefined) return option;
  if (existsSync('.env')) process.loadEnvFile('.env');
  const fromEnvironment = process.env['DATABASE_URL'];
  if (fromEnvironment !== undefined && fromEnvironment !== '') return fromEnvironment;
  throw new OperationError({
    code: 'URL_MISSING',
    message: 'no database is named',
    advice:
      'Give --url postgres://user@host:5432/database (or pglite:DIR), or set DATABASE_URL in the environment or in .env.',
  });
}
