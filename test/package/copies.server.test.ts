import { expect, test } from 'vitest';
import { root } from '../../scripts/build/paths.ts';
import { createDatabase } from '../support/database.ts';
import { ended } from '../support/project-copy.ts';

/** The package finds itself by its name. */
const program = `
  import { createRequire } from 'node:module';
  import postgres from 'postgres';
  const require = createRequire(process.cwd() + '/');
  const ways = {
    import: { load: (entry) => import('multi-pair-db/' + entry), ...(await import('drizzle-orm/postgres-js')) },
    require: { load: async (entry) => require('multi-pair-db/' + entry), ...require('drizzle-orm/postgres-js') },
  };
  const client = postgres(process.env.DATABASE_URL);
  for (const [own, other] of [['import', 'require'], ['require', 'import']]) {
    const db = ways[own].drizzle({ client });
    const { sessions } = await ways[other].load('schema');
    const { insertSession, listSessions } = await ways[other].load('queries');
    const { DatabaseError } = await ways[own].load('queries');
    await insertSession(db, { id: own, pairs: ['BTC/USD', 'ETH/USD'], startedAt: 1 });
    const [row] = await db.select().from(sessions);
    const [listed] = await listSessions(db);
    const error = await insertSession(db, { id: own }).catch((thrown) => thrown);
    console.log(row.pairs.join(), listed.pairCount, error.code, error instanceof DatabaseError);
  }
  await client.end();
`;

// What a service of ES modules has that uses a library in CommonJS, or the other way round: two copies, one database.
test('the copies for import and for require work with each other: tables, handles, queries and errors', async () => {
  await using database = await createDatabase(18, 'migrated');
  const args = ['--input-type=module', '-e', program];
  const { code, output } = await ended(process.execPath, args, root, { DATABASE_URL: database.url });
  // An error is of the copy that threw it: its code is the same.
  const line = 'BTC/USD,ETH/USD 2 unique_violation false\n';
  expect({ code, output }).toEqual({ code: 0, output: line + line });
});
