import type { UrlParameter } from './parameter.ts';

/** A pool of a service has it; a command opens one session or two. */
const ofPool: UrlParameter = {
  becomes: 'nothing: it is about a pool, and a command has one session or two',
  note: 'is about the pool of a service; a command has none',
};

/** We prepare no statement, which is all that these ask for behind a pooler. */
const unprepared: UrlParameter = { becomes: 'kept as it is: no statement is prepared here' };

/** What ORMs and drivers write into URLs, and libpq does not know. */
export const ofOrms: Readonly<Record<string, UrlParameter>> = {
  // Prisma's: the schema in which its tables are. PostgreSQL calls that search_path.
  schema: { becomes: 'search_path of the session; pg_dump names every table with its schema' },
  pgbouncer: unprepared,
  statement_cache_size: unprepared,
  statement_cache_capacity: unprepared,
  prepare: unprepared,
  prepared_statements: unprepared,
  prepareThreshold: unprepared,
  connection_limit: ofPool,
  pool_timeout: ofPool,
  pool_size: ofPool,
  max: ofPool,
  idle_timeout: ofPool,
  max_lifetime: ofPool,
  // Prisma's: how long it waits for an answer. A migration may run for an hour.
  socket_timeout: {
    becomes: 'nothing: long work is what these commands do',
    note: 'is not kept: a migration takes its time',
  },
  // Written by Supabase, to tell its own poolers apart.
  supa: { becomes: 'nothing' },
};
