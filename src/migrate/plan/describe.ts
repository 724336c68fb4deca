import type { Connection } from '../../connection/connection.ts';
import { type DatabaseIdentity, readIdentity } from '../../connection/identity.ts';
import { clientCheck, timeLimits } from '../../connection/limits.ts';
import { inReadOnlyTransaction } from '../../connection/read-only.ts';
import type { Project } from '../project.ts';
import { estimateCost, readSize, type TableSize } from './estimate.ts';
import { type Fingerprint, foretellFingerprint, readFingerprint } from './fingerprint.ts';
import { buildPlan, type MigrationPlan } from './plan.ts';

/** A plan, and what it will meet on this database. */
export interface DescribedPlan extends MigrationPlan {
  readonly target: string;
  readonly database: DatabaseIdentity;
  readonly versionNumber: number;
  readonly createdAtMs: number;
  /** The last file to apply, as it was asked for; undefined: all that are pending. */
  readonly upTo: string | undefined;
  /** What the tables are, object by object, each as a hash: see `SavedPlan`. */
  readonly catalog: Fingerprint;
  /** What the files of the plan make of them, as far as it is known. */
  readonly makes: Fingerprint;
  /** Tables that the pending files work on. */
  readonly tables: readonly TableSize[];
  /** Time limits in force in a session of this role, before the plan lifts them. `0` is none. */
  readonly limits: Readonly<Record<string, string>>;
  /** Roughly what the disk needs, in bytes, by file: new indexes, and new versions of rows that are filled. */
  readonly diskBytes: Readonly<Record<string, number>>;
  /** Roughly what is written to the write-ahead log, in bytes, by file: the same, and old rows where they are logged. */
  readonly walBytes: Readonly<Record<string, number>>;
  /** Roughly how long it takes, by file, without waits: an estimate from rows and bytes. */
  readonly estimatedMs: Readonly<Record<string, number>>;
}

/** What to plan. */
export interface PlanOptions {
  readonly project: Project;
  /** The last file to apply: `001`, `1`, `0001` or the full name (default: all that are pending). */
  readonly upTo?: string;
}

/** What `applyMigrations` would do now, and what it will meet; read-only. */
export async function planMigrations(
  connection: Connection,
  { project, upTo }: PlanOptions,
): Promise<DescribedPlan> {
  return inReadOnlyTransaction(connection, async () => {
    const plan = await buildPlan(connection, project, upTo);
    const all = [...plan.repairs, ...plan.migrations];
    const names = [...new Set(all.flatMap(({ steps }) => steps.flatMap((step) => step.facts.tables)))];
    const tables: TableSize[] = [];
    for (const name of names) tables.push(await readSize(connection, name));
    const diskBytes: Record<string, number> = {};
    const walBytes: Record<string, number> = {};
    const estimatedMs: Record<string, number> = {};
    for (const { tag, steps } of all) {
      let [disk, wal, duration] = [0, 0, 0];
      for (const { facts } of steps) {
        const cost = await estimateCost(connection, facts, tables);
        disk += cost.diskBytes;
        wal += cost.walBytes;
        duration += cost.durationMs;
      }
      diskBytes[tag] = disk;
      walBytes[tag] = wal;
      estimatedMs[tag] = Math.round(duration);
    }
    return {
      ...plan,
      target: connection.target,
      database: await readIdentity(connection),
      versionNumber: connection.versionNumber,
      createdAtMs: Date.now(),
      upTo,
      catalog: await readFingerprint(connection, project, names),
      makes: await foretellFingerprint(
        project,
        all.map(({ tag }) => tag),
      ),
      tables,
      limits: await readLimitsInForce(connection),
      diskBytes,
      walBytes,
      estimatedMs,
    };
  });
}

async function readLimitsInForce(connection: Connection): Promise<Record<string, string>> {
  const rows = await connection.query<{ name: string; setting: string }>(
    'select name, current_setting(name) as setting from pg_settings where name = any($1::text[]) order by name',
    [[...timeLimits, clientCheck]],
  );
  return Object.fromEntries(rows.map(({ name, setting }) => [name, setting]));
}
