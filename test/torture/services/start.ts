import { readLegacySchema } from '../../support/migrations.ts';
import { nowMs } from './clock.ts';
import { sqlStateOf } from './errors.ts';
import { connect } from './service.ts';

/** All that a service of the old kind creates when it starts, where it is missing: three tables and twenty indexes. */
const ddl: readonly string[] = (await readLegacySchema())
  .split(/;\s*\n/)
  .map((statement) => statement.trim())
  .filter((statement) => /^create (table|index)/i.test(statement))
  .map((statement) => statement.replace(/^create (table|index)/i, 'create $1 if not exists'));

/** How a service has started. */
export interface Started {
  readonly fromMs: number;
  readonly toMs: number;
  /** SQLSTATE of what has failed; undefined: it has started. */
  readonly failed: string | undefined;
}

/** Starts a service: its DDL, one statement after the other, on a connection of its own. */
export async function startService(url: string): Promise<Started> {
  const sql = connect(url, 'a start');
  const fromMs = nowMs();
  let failed: string | undefined;
  try {
    for (const statement of ddl) await sql.unsafe(statement);
  } catch (error) {
    failed = sqlStateOf(error) ?? 'no answer';
  } finally {
    await sql.end({ timeout: 1 });
  }
  return { fromMs, toMs: nowMs(), failed };
}
