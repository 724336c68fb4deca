import type { Connection } from '../../connection/connection.ts';
import { quoteIdentifier, quoteLiteral } from '../../connection/identifiers.ts';
import { frameSchema } from '../../migrate/plan/frame.ts';
import type { BackupRecord } from './backup-record.ts';

/** An archive of `dedupe` that a restore puts aside: fills that are in no other table. */
export interface SetAside {
  /** Its name in the schema of the frame before and after. */
  readonly from: string;
  readonly to: string;
}

/**
 * The archives of a database that a restore would drop: `archived_fills`, and those put aside by an earlier restore
 * where the backup has one of that name.
 */
export async function planSetAside(
  connection: Connection,
  { rows }: BackupRecord,
  nowMs: number,
): Promise<SetAside[]> {
  const found = await connection.query<{ name: string }>(
    `select c.relname::text as name
     from pg_class as c
     join pg_namespace as n on n.oid = c.relnamespace
     where n.nspname = $1 and c.relkind = 'r' and c.relname ~ '^archived_fills(_replaced_|$)'
     order by 1`,
    [frameSchema],
  );
  const stamp = new Date(nowMs)
    .toISOString()
    .replace(/[-:]|\.\d+/g, '')
    .toLowerCase();
  const isTaken = (name: string): boolean =>
    found.some((table) => table.name === name) || `${frameSchema}.${name}` in rows;
  const free = Array.from({ length: 2 * found.length + Object.keys(rows).length }, (_, place) => place + 1)
    .map((number) => `archived_fills_replaced_${stamp}${number === 1 ? '' : `_${number}`}`)
    .filter((name) => !isTaken(name));
  return found
    .filter(({ name }) => name === 'archived_fills' || `${frameSchema}.${name}` in rows)
    .map(({ name }, place) => ({ from: name, to: free[place] ?? `archived_fills_replaced_${nowMs}` }));
}

/** SQL that renames them, with their indexes and sequences: the backup's own archive wants those names. */
export function setAsideSql(archives: readonly SetAside[]): string {
  return archives
    .map(
      ({ from, to }) => `do $aside$
declare
  part record;
begin
  for part in
    select c.relname, c.relkind, row_number() over (order by c.relkind, c.relname) as place
    from pg_catalog.pg_class as c
    where c.oid in (select indexrelid from pg_catalog.pg_index where indrelid = ${oid(from)})
      or c.relkind = 'S' and exists (
        select from pg_catalog.pg_depend as d
        where d.classid = 'pg_catalog.pg_class'::regclass and d.objid = c.oid
          and d.refclassid = 'pg_catalog.pg_class'::regclass and d.refobjid = ${oid(from)})
  loop
    execute format('alter %s ${frameSchema}.%I rename to %I', case part.relkind when 'S' then 'sequence' else 'index' end,
                   part.relname, ${quoteLiteral(to)} || '_part' || part.place);
  end loop;
  alter table ${frameSchema}.${quoteIdentifier(from)} rename to ${quoteIdentifier(to)};
end
$aside$;`,
    )
    .join('\n');
}

/** SQL that drops what was put aside where the restored archive holds every row of it, or there is none. */
export function dropSpareSql(archives: readonly SetAside[]): string {
  return archives
    .map(({ from, to }) => {
      const [kept, restored] = [from, to].map((name) => `${frameSchema}.${quoteIdentifier(name)}`).reverse();
      return `do $spare$
begin
  if not exists (select from ${kept}) then
    drop table ${kept};
  elsif to_regclass('${restored}') is not null then
    -- As text: the two may have other columns, which makes them another state.
    if not exists (select t::text from ${kept} as t except all select t::text from ${restored} as t) then
      drop table ${kept};
    end if;
  end if;
end
$spare$;`;
    })
    .join('\n');
}

/** Those of them that are there after the restore, with their schema. */
export async function listKept(connection: Connection, archives: readonly SetAside[]): Promise<string[]> {
  const rows = await connection.query<{ name: string }>(
    'select name from unnest($1::text[]) as name where to_regclass(name) is not null',
    [archives.map(({ to }) => `${frameSchema}.${to}`)],
  );
  return rows.map(({ name }) => name);
}

const oid = (name: string): string => `'${frameSchema}.${quoteIdentifier(name)}'::regclass`;
