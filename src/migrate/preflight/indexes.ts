import { adviseToEnd, describeSessions, listSessions } from '../../connection/activity.ts';
import type { ExpectedObject } from '../catalog/catalog-file.ts';
import { repairByHand } from '../catalog/repair.ts';
import { type Check, type CheckContext, count, isPending } from './check.ts';

const indexesOf = ({ expected }: CheckContext): ExpectedObject[] =>
  expected.filter(({ kind }) => kind === 'index');

export const namesTaken: Check = {
  id: 'index-names',
  why: 'a name that belongs to something else can be neither built nor set aside',
  look: async (context) => {
    const wanted = indexesOf(context);
    const rows = await context.connection.query<{ taken: string }>(
      `select format('%I is %s', c.relname, case
                when k.conname is not null then format('the index of the constraint %I of %I', k.conname, k.conrelid::regclass)
                when i.indrelid is not null then format('an index of %s', i.indrelid::regclass)
                else format('no index (relkind %s)', c.relkind::text)
              end) as taken
       from unnest($1::text[], $2::text[]) as w (name, table_name)
       join pg_class as c on c.oid = to_regclass(quote_ident(w.name))
       left join pg_index as i on i.indexrelid = c.oid
       left join pg_constraint as k on k.conindid = c.oid and k.contype in ('p', 'u', 'x')
       where k.conname is not null or i.indrelid is distinct from to_regclass(quote_ident(w.table_name))
       order by w.name`,
      [wanted.map(({ name }) => name), wanted.map(({ table }) => table)],
    );
    if (rows.length === 0) return { level: 'ok', found: 'no name of an index is taken by something else' };
    return {
      level: 'blocker',
      found: `${count(rows.length, 'index name')} taken`,
      details: rows.map(({ taken }) => taken),
      advice: 'Rename or drop what has the name.',
    };
  },
};

export const damagedIndexes: Check = {
  id: 'damaged-indexes',
  why: 'an INVALID index costs every write and serves nobody; one with another definition serves other queries than ours',
  look: async (context) => {
    const details = indexesOf(context).flatMap((wanted) => describeDamage(context, wanted));
    if (details.length === 0) return { level: 'ok', found: 'no index is INVALID or defined otherwise' };
    return {
      level: 'warning',
      found: `${count(details.length, 'index')}es INVALID or defined otherwise`.replace(
        'indexses',
        'indexes',
      ),
      details,
      advice:
        'Those of a pending migration need nothing: it sets them aside, builds them anew and drops the old ones. The disk has to hold both meanwhile.',
    };
  },
};

function describeDamage(context: CheckContext, wanted: ExpectedObject): string[] {
  const found = context.live.find(({ kind, name }) => kind === 'index' && name === wanted.name);
  if (found === undefined) return [];
  const isOther = ['definition', 'unique'].some((key) => found.properties[key] !== wanted.properties[key]);
  const isInvalid = found.properties['valid'] === false;
  if (!isOther && !isInvalid) return [];
  const state = isInvalid ? 'INVALID' : 'defined otherwise';
  const unique = found.properties['unique'] === true ? 'unique ' : '';
  const repair =
    isPending(context, wanted.migration) && !wanted.migration.startsWith('0000')
      ? `${wanted.migration} builds it anew`
      : repairByHand(wanted, found);
  return [`${wanted.name} is ${state}: ${unique}${String(found.properties['definition'])}; ${repair}`];
}

interface Build {
  readonly pid: number;
  readonly name: string | null;
  readonly table: string;
  readonly phase: string;
  readonly share: number | null;
}

export const runningBuilds: Check = {
  id: 'running-builds',
  why: 'INVALID may mean "still being built", also for a client that is gone; two builds on one table wait for each other',
  look: async (context) => {
    // Without pg_read_all_stats the builds of other roles show neither table nor index; their locks do.
    const builds = await context.connection.query<Build>(
      `select b.pid, c.relname::text as name, l.relation::regclass::text as "table", coalesce(b.phase, 'phase unknown') as phase,
              round(100.0 * coalesce(nullif(b.blocks_done, 0) / nullif(b.blocks_total, 0)::numeric,
                                     b.tuples_done / nullif(b.tuples_total, 0)::numeric))::float8 as share
       from pg_stat_progress_create_index as b
       join pg_locks as l on l.pid = b.pid and l.locktype = 'relation' and l.granted and l.database = b.datid
         and l.relation in (select to_regclass(quote_ident(name)) from unnest($1::text[]) as t (name))
       left join pg_class as c on c.oid = b.index_relid
       where b.pid <> pg_backend_pid() and b.datname = current_database()
       group by b.pid, c.relname, l.relation, b.phase, b.blocks_done, b.blocks_total, b.tuples_done, b.tuples_total
       order by b.pid`,
      [context.tables],
    );
    if (builds.length === 0) return { level: 'ok', found: 'no index of these tables is being built' };
    const sessions = await listSessions(
      context.connection,
      builds.map(({ pid }) => pid),
    );
    const names = new Set(indexesOf(context).map(({ name }) => name));
    const isOurs = builds.some(({ name }) => name === null || names.has(name));
    return {
      level: isOurs ? 'blocker' : 'warning',
      found: `${count(builds.length, 'build')} on these tables under way`,
      details: builds.map(({ pid, name, table, phase, share }) => {
        const who = describeSessions(sessions.filter((session) => session.pid === pid));
        return `${name ?? 'an index'} on ${table}: ${phase}${share === null ? '' : `, ${share} %`}, by ${who}`;
      }),
      advice: `${adviseToEnd(sessions)} What it leaves INVALID is built anew.`,
    };
  },
};
