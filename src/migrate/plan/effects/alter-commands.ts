import type { AlterTableType } from 'libpg-query';
import type { LockMode, Rewrite } from '../../project.ts';

/** What one subcommand of ALTER TABLE does, where its name says all. */
export interface CommandFacts {
  readonly mode: LockMode;
  readonly rewrite: Rewrite;
  readonly work: string;
  /** Only the catalog changes. */
  readonly isQuick: boolean;
  /** The strongest that tables on the other side of foreign keys may be locked with. */
  readonly beside?: LockMode;
}

const quick = (mode: LockMode, beside?: LockMode): CommandFacts => ({
  mode,
  rewrite: 'no',
  work: 'catalog only',
  isQuick: true,
  ...(beside === undefined ? {} : { beside }),
});

const slow = (mode: LockMode, rewrite: Rewrite, work: string, beside?: LockMode): CommandFacts => ({
  mode,
  rewrite,
  work,
  isQuick: false,
  ...(beside === undefined ? {} : { beside }),
});

const exclusive = quick('ACCESS EXCLUSIVE');
const trigger = quick('SHARE ROW EXCLUSIVE');
const shared = quick('SHARE UPDATE EXCLUSIVE');

/**
 * After AlterTableGetLockLevel in PostgreSQL's tablecmds.c. Left out: what needs more than its name (`alter-table.ts`
 * reads it), and what is not known.
 */
export const commandFacts: Readonly<Partial<Record<AlterTableType, CommandFacts>>> = {
  AT_AlterColumnType: slow(
    'ACCESS EXCLUSIVE',
    'depends',
    'rewrites the table and its indexes, unless the old type is stored in the same way (varchar to a longer one, or to text); may check every row',
    'ACCESS EXCLUSIVE',
  ),
  AT_SetLogged: slow(
    'ACCESS EXCLUSIVE',
    'depends',
    'rewrites the table and its indexes, unless it is logged already',
  ),
  AT_SetUnLogged: slow(
    'ACCESS EXCLUSIVE',
    'depends',
    'rewrites the table and its indexes, unless it is unlogged already',
  ),
  AT_SetAccessMethod: slow(
    'ACCESS EXCLUSIVE',
    'depends',
    'rewrites the table, unless it has that access method already',
  ),
  AT_SetTableSpace: slow(
    'ACCESS EXCLUSIVE',
    'depends',
    'copies the file of the table, unless it is there already',
  ),
  AT_SetExpression: slow(
    'ACCESS EXCLUSIVE',
    'depends',
    'computes the column for every row and writes it, unless it is virtual',
  ),
  AT_SetNotNull: slow(
    'ACCESS EXCLUSIVE',
    'no',
    'reads every row, unless a valid check says that none is null',
  ),
  AT_ValidateConstraint: slow('SHARE UPDATE EXCLUSIVE', 'no', 'reads every row once', 'ROW SHARE'),

  AT_ColumnDefault: exclusive,
  AT_DropNotNull: exclusive,
  AT_DropExpression: exclusive,
  AT_SetStorage: exclusive,
  AT_SetCompression: exclusive,
  AT_AddIdentity: exclusive,
  AT_SetIdentity: exclusive,
  AT_DropIdentity: exclusive,
  AT_ChangeOwner: exclusive,
  AT_AddOf: exclusive,
  AT_DropOf: exclusive,
  AT_ReplicaIdentity: exclusive,
  AT_EnableRowSecurity: exclusive,
  AT_DisableRowSecurity: exclusive,
  AT_ForceRowSecurity: exclusive,
  AT_NoForceRowSecurity: exclusive,
  AT_EnableRule: exclusive,
  AT_EnableAlwaysRule: exclusive,
  AT_EnableReplicaRule: exclusive,
  AT_DisableRule: exclusive,
  AT_DropColumn: quick('ACCESS EXCLUSIVE', 'ACCESS EXCLUSIVE'),
  AT_DropConstraint: quick('ACCESS EXCLUSIVE', 'ACCESS EXCLUSIVE'),
  AT_AlterConstraint: quick('ACCESS EXCLUSIVE', 'ACCESS EXCLUSIVE'),

  AT_EnableTrig: trigger,
  AT_EnableAlwaysTrig: trigger,
  AT_EnableReplicaTrig: trigger,
  AT_DisableTrig: trigger,
  AT_EnableTrigAll: trigger,
  AT_DisableTrigAll: trigger,
  AT_EnableTrigUser: trigger,
  AT_DisableTrigUser: trigger,

  AT_SetStatistics: shared,
  AT_SetOptions: shared,
  AT_ResetOptions: shared,
  AT_ClusterOn: shared,
  AT_DropCluster: shared,
};

/** Storage parameters that are set while services read and write. Any other is taken for one that is not. */
export const sharedParameters =
  /^(fillfactor|toast_tuple_target|parallel_workers|vacuum_truncate|vacuum_index_cleanup|vacuum_max_eager_freeze_failure_rate|(toast\.)?(log_)?autovacuum_\w+|n_distinct|n_distinct_inherited)$/;
