import type { Connection } from '../../connection/connection.ts';
import { quoteLiteral } from '../../connection/identifiers.ts';
import { isBeingBuilt } from '../catalog/building.ts';
import type { MigrationFile } from '../history/folder.ts';
import { readConcurrentIndex } from './head.ts';

/** Indexes that a file builds CONCURRENTLY, as SQL wants their names. */
export const listBuilds = ({ statements }: Pick<MigrationFile, 'statements'>): string[] =>
  statements.flatMap(({ sql }) => readConcurrentIndex(sql) ?? []);

/**
 * Which of these indexes an earlier run has left INVALID. IF NOT EXISTS would take them for built, and without it the build
 * would fail for ever. One that is being built right now is none: the proof at the end of the file finds it.
 */
export async function listLeftovers(connection: Connection, names: readonly string[]): Promise<string[]> {
  if (names.length === 0) return [];
  const rows = await connection.query<{ name: string }>(
    `select name
     from unnest($1::text[]) as name
     join pg_index as i on i.indexrelid = to_regclass(name)
     where not (i.indisvalid and i.indisready and i.indislive)
       and not ${isBeingBuilt('i.indexrelid')}`,
    [[...names]],
  );
  return rows.map((row) => row.name);
}

/** Fails unless the indexes are valid: the record may only be written over the truth. */
export const proveSql = (names: readonly string[]): string => `do $prove$
declare
  faults text;
begin
  select string_agg(name, ', ') into faults
  from unnest(array[${names.map(quoteLiteral).join(', ')}]) as name
  left join pg_index as i on i.indexrelid = to_regclass(name)
  where i.indexrelid is null or not (i.indisvalid and i.indisready and i.indislive);
  if faults is not null then
    raise exception 'not valid: %', faults
      using errcode = 'object_not_in_prerequisite_state', hint = 'Another session may still be building it.';
  end if;
end
$prove$`;
