import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin } from 'vitest/config';

const onServers = 'test/**/*.server.test.ts';

/**
 * Beside the newest, what reads the server's own catalog: the files, healing and undo included, what statements lock, and
 * what `verify` finds. All of it runs on the oldest by `npm run test:15`; on 16 and 17 it took 190 s more each, and found
 * nothing that the two ends had not found.
 */
const onOlderServers = [
  'test/drizzle/{frame,healing,psql,undo}.server.test.ts',
  'test/migrate/{catalog,plan,verify}/*.server.test.ts',
  'test/cli/there-and-back.server.test.ts',
];

/** Real servers are started once a run; the first test of a file may wait for PGlite to compile. */
const patience = { testTimeout: 60_000, hookTimeout: 60_000 };

/**
 * `drizzle-orm` is 1.0 to our code and to the tests: as in a service, there is one of it. But the databases are made by
 * the Drizzle of this repository, whose layout the folder of migrations has.
 */
const onDrizzle1: Plugin = {
  name: 'drizzle-1',
  enforce: 'pre',
  resolveId(source, importer) {
    if (!/^drizzle-orm(\/|$)/.test(source) || importer?.endsWith('test/support/migrations.ts')) return null;
    const from = fileURLToPath(new URL('test/drizzle-1/package.json', import.meta.url));
    return this.resolve(source, from, { skipSelf: true });
  },
};

// isolate: false, where it is: files share what they import, which saves a sixth of the time. No module keeps state that
// another file could see.
export default defineConfig({
  test: {
    // `npm test` has three, because its tests often wait for a server or a child process: on 2 cores 83 s instead of 87.
    // The long ones, which look at how long somebody waits, have as many as the cores that we promise for.
    maxWorkers: 2,
    projects: [
      {
        test: {
          ...patience,
          name: 'pglite',
          isolate: false,
          include: ['test/**/*.test.ts'],
          exclude: [
            'test/**/*.server.test.ts',
            'test/**/*.soak.test.ts',
            'test/drizzle-1/**',
            'test/package/**',
          ],
          globalSetup: 'test/support/pglite.ts',
        },
      },
      {
        test: {
          ...patience,
          name: 'package',
          include: ['test/package/*.test.ts'],
          exclude: ['test/package/*.{server,soak}.test.ts'],
          globalSetup: 'test/support/build.ts',
        },
      },
      {
        test: {
          ...patience,
          name: 'server',
          isolate: false,
          include: [onServers],
          globalSetup: 'test/support/servers.ts',
          env: { TEST_POSTGRES: process.env['TEST_POSTGRES'] ?? '18' },
        },
      },
      {
        plugins: [onDrizzle1],
        test: {
          ...patience,
          name: 'drizzle-1',
          isolate: false,
          // Rows, transactions, claims, errors and prepared statements: what depends on the session.
          include: [
            'test/queries/{rows,fills}.{server.,}test.ts',
            'test/queries/core/{call,errors,neon-http,query,replica,row-encoder}.test.ts',
            'test/queries/core/*.server.test.ts',
            'test/zod/*.test.ts',
            'test/drizzle-1/*.test.ts',
            'test/queries/{fills/insert-fills,sessions/claims,sessions/settle-drivers}.server.test.ts',
          ],
          globalSetup: 'test/support/drizzle-1.ts',
          env: { TEST_POSTGRES: '18' },
        },
      },
      ...[15, 16, 17].map((version) => ({
        test: {
          ...patience,
          name: `server-${version}`,
          isolate: false,
          include: onOlderServers,
          globalSetup: 'test/support/servers.ts',
          env: { TEST_POSTGRES: String(version) },
        },
      })),
      {
        test: {
          ...patience,
          name: 'soak',
          include: ['test/**/*.soak.test.ts'],
          globalSetup: 'test/support/servers.ts',
          testTimeout: 600_000,
          // Some install a service first.
          hookTimeout: 600_000,
        },
      },
      {
        test: {
          name: 'types-drizzle-1',
          include: [],
          typecheck: {
            enabled: true,
            only: true,
            include: ['test/drizzle-1/types/**/*.test-d.ts'],
            tsconfig: './test/drizzle-1/tsconfig.json',
          },
        },
      },
      {
        test: {
          name: 'types',
          include: [],
          typecheck: { enabled: true, only: true, include: ['test/types/**/*.test-d.ts'] },
        },
      },
    ],
  },
});
