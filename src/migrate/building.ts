/**
 * SQL that says whether a live backend is building the index with this oid. Within the database: copies of one template
 * share their oids, and the view shows every database of the server.
 */
export const isBeingBuilt = (indexOid: string): string => `exists (
  select from pg_stat_progress_create_index as build
  where build.index_relid = ${indexOid} and build.datname = current_database() and build.pid <> pg_backend_pid()
)`;
