import { fileURLToPath } from 'node:url';

/** Where this package's sources are, and what is built of them. */
export const root = fileURLToPath(new URL('../..', import.meta.url));
export const dist = fileURLToPath(new URL('../../dist', import.meta.url));
