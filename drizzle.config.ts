import { defineConfig } from 'drizzle-kit';

/** `generate` and `check` need no database; `migrate` and `studio` read DATABASE_URL (drizzle-kit loads `.env`). */
const url = process.env['DATABASE_URL'] ?? '';
const embeddedDir = url.startsWith('pglite:') ? url.slice('pglite:'.length) : undefined;

const project = {
  dialect: 'postgresql',
  schema: './src/schema/index.ts',
  out: './drizzle',
  // A journal of our own: another Drizzle project in the same database would hide our files behind its newer rows.
  migrations: { schema: 'multi_pair_db', table: 'migrations' },
  strict: true,
} as const;

export default embeddedDir === undefined
  ? defineConfig({ ...project, dbCredentials: { url } })
  : defineConfig({ ...project, driver: 'pglite', dbCredentials: { url: embeddedDir } });
