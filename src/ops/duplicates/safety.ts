import type { Connection } from '../../connection/connection.ts';
import { OperationError } from '../../connection/errors.ts';

/**
 * What would do more than `dedupe` says when a row of `fills` goes, or see less: foreign keys of other tables take their
 * rows along or keep ours, triggers and rules do whatever their authors wrote, row-level security hides copies, and the
 * rows of child tables have ids of their own.
 */
interface Hazard {
  readonly kind: 'foreign key' | 'trigger' | 'statement trigger' | 'rule' | 'publication' | 'shape';
  /** What stands in the way, as a message names it. */
  readonly what: string;
  /** What to do about it, as a command to copy where it is one. */
  readonly remedy: string;
}

/** 8 in `tgtype` is DELETE, 1 is FOR EACH ROW. A transition table tells a statement's trigger each row all the same. */
const hazardsQuery = `
  select 'foreign key' as kind,
         format('foreign key %I of %s (%s)', conname, conrelid::regclass, pg_get_constraintdef(c.oid)) as what,
         format('alter table %s drop constraint %I;', conrelid::regclass, conname) as remedy
  from pg_constraint as c
  where contype = 'f' and confrelid = 'fills'::regclass
    -- The partitions of a table have copies of its foreign keys.
    and not exists (select from pg_constraint as p where p.oid = c.conparentid and p.confrelid = c.confrelid)
  union all
  select case when tgtype & 1 = 1 or tgoldtable is not null then 'trigger' else 'statement trigger' end,
         format('trigger %I of fills on DELETE', tgname),
         format('alter table fills disable trigger %I;', tgname)
  from pg_trigger
  where tgrelid = 'fills'::regclass and not tgisinternal and tgtype & 8 = 8 and tgenabled <> 'D'
    and (tgenabled <> 'R' or current_setting('session_replication_role') = 'replica')
  union all
  select 'rule',
         format('rule %I of fills on DELETE', rulename),
         format('alter table fills disable rule %I;', rulename)
  from pg_rewrite
  where ev_class = 'fills'::regclass and ev_type = '4' and ev_enabled <> 'D'
  union all
  select 'publication', format('publication %I', p.pubname), ''
  from pg_publication as p
  join pg_publication_tables as t using (pubname)
  where t.schemaname || '.' || t.tablename = (
      select nspname || '.' || relname
      from pg_class as c join pg_namespace as n on n.oid = relnamespace
      where c.oid = 'fills'::regclass
    )
    and pubdelete
  union all
  select 'shape',
         case when relkind <> 'r' then 'fills is not a plain table' else 'fills has child tables' end,
         'Only a plain table without children can have the unique index over all of its rows.'
  from pg_class
  where oid = 'fills'::regclass
    and (relkind <> 'r' or exists (select from pg_inherits where inhparent = 'fills'::regclass))
  order by kind, what`;

/**
 * Refuses where a row that leaves `fills` would take anything else along; gives back what the operator should know all
 * the same. Ask in the transaction that moves rows, under a lock that keeps such things from being made meanwhile.
 *
 * @throws OperationError `REFUSED`
 */
export async function refuseUnsafeDeletes(connection: Connection): Promise<string[]> {
  await refuseHiddenRows(connection, 'fills');
  const hazards = await connection.query<Hazard>(hazardsQuery);
  const refused = hazards.filter(({ kind }) => warnings[kind] === undefined);
  if (refused.length > 0) {
    throw new OperationError({
      code: 'REFUSED',
      message: `rows can’t leave fills without doing more than that: ${refused.map(({ what }) => what).join('; ')}`,
      advice: adviseOn(refused),
    });
  }
  return hazards.map(({ kind, what }) => `${what} ${warnings[kind]}`);
}

/** What takes nothing away here, and that somebody should know of all the same. */
const warnings: Partial<Record<Hazard['kind'], string>> = {
  'statement trigger': 'fires once for each batch of rows that is moved',
  publication: 'sends each row that leaves fills to its subscribers, which delete it and have no archive',
};

const adviceByKind: Partial<Record<Hazard['kind'], string>> = {
  'foreign key':
    'When dedupe is done, point its rows at the fills that stay (multi_pair_db.archived_fills has archived_kept_id for each id) and add it again.',
  trigger: 'Enable it again when dedupe is done; meanwhile it fires for nobody.',
  rule: 'Enable it again when dedupe is done; meanwhile it holds for nobody.',
};

function adviseOn(hazards: readonly Hazard[]): string {
  const kinds = [...new Set(hazards.map(({ kind }) => kind))];
  const steps = kinds.flatMap((kind) => [
    ...hazards.filter((hazard) => hazard.kind === kind).map(({ remedy }) => remedy),
    ...(adviceByKind[kind] === undefined ? [] : [adviceByKind[kind]]),
  ]);
  return ['Nothing is moved while it stands.', ...steps, 'Then run the same command again.'].join(' ');
}

/**
 * Row-level security hides rows without a word: copies would look like single fills.
 *
 * @throws OperationError `REFUSED`
 */
export async function refuseHiddenRows(connection: Connection, table: string): Promise<void> {
  const [row] = await connection.query<{ active: boolean }>('select row_security_active($1) as active', [
    table,
  ]);
  if (row?.active !== true) return;
  throw new OperationError({
    code: 'REFUSED',
    message: `row-level security may hide rows of ${table} from this role`,
    advice: 'Connect as a role that sees all of them: the owner of the table, or a role with BYPASSRLS.',
  });
}
