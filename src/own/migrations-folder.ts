import { fileURLToPath } from 'node:url';

/** The package's own migrations. Two levels up: the same from `src/own`, `dist/own` and the one file of the command line. */
export const ownMigrationsFolder = fileURLToPath(new URL('../../drizzle', import.meta.url));
