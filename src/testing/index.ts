/**
 * For a service's own tests: a migrated database in the test's process, and rows to put into it. Needs the optional peer
 * `@electric-sql/pglite`. PGlite has one session: what needs two (locks, claims that meet) is for a real server.
 */
export { buildFill, buildOrder, buildSession } from './build-rows.ts';
export { createTestDatabase, type TestDatabase, type TestDatabaseOptions } from './test-database.ts';
