import { drizzle } from 'drizzle-orm/postgres-js';
import { migrate } from 'drizzle-orm/postgres-js/migrator';
import postgres from 'postgres';

/** Applies a folder as drizzle-kit 1.0 does, which calls just this. Here, because `drizzle-orm` is 1.0 in this folder alone. */
export async function migrateV1(
  url: string,
  config: {
    readonly migrationsFolder: string;
    readonly migrationsSchema?: string;
    readonly migrationsTable?: string;
  },
): Promise<void> {
  const client = postgres(url, { max: 1, onnotice: () => {} });
  try {
    await migrate(drizzle({ client }), config);
  } finally {
    await client.end();
  }
}
