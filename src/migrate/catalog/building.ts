/**
 * SQL that says whether a live backend is building the index with this oid. Within the database: copies of one template
 * share their oids, and the view shows every database of the server. Without pg_read_all_stats it hides what other roles
 * build; then an index that is not valid counts as being built while somebody builds one on its table.
 */
export const isBeingBuilt = (indexOid: string): string => `exists (
  select from pg_stat_progress_create_index as build
  where build.datname = current_database() and build.pid <> pg_backend_pid()
    and (build.index_relid = ${indexOid} or (build.index_relid is null and exists (
      select from pg_index as hidden
      join pg_locks as held on held.relation = hidden.indrelid
      where hidden.indexrelid = ${indexOid} and not hidden.indisvalid
        and held.pid = build.pid and held.locktype = 'relation' and held.database = build.datid)))
)`;
