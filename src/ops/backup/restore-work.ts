import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Connection } from '../../connection/connection.ts';
import { quoteIdentifier } from '../../connection/identifiers.ts';
import { throwIfAborted } from '../../connection/session.ts';
import { count, formatBytes, formatCount, majorOf } from '../../connection/units.ts';
import type { Pause } from '../../migrate/pause.ts';
import { listKept } from './archives.ts';
import { resetAdoptedRows } from './default-journal.ts';
import type { RestoreJob } from './restore-job.ts';
import { leaveOut } from './restore-list.ts';
import { compareRows, compareState, type RestoreReport } from './restore-report.ts';
import { feedScript } from './restore-script.ts';
import { countSql, finishSql, prerequisitesSql } from './restore-sql.ts';
import type { RestoreTransaction } from './restore-transaction.ts';
import { settlePauses } from './restored-pause.ts';

/**
 * Restores, counts and commits, then verifies.
 *
 * @param standing the pause of this database before the restore
 * @param beforeCommit the last moment at which all of it can be taken back
 */
export async function workOff(
  job: RestoreJob,
  transaction: RestoreTransaction,
  standing: Pause | undefined,
  beforeCommit: () => Promise<void>,
): Promise<RestoreReport> {
  const { connection, record, options, replaced } = job;
  const { psql } = transaction;
  options.onPhase?.(`pg_restore into ${connection.target} …`);
  await psql.ask(prerequisitesSql(record));
  await runScript(job, transaction);
  await psql.ask(finishSql(replaced, record, options.withoutOwners === true));
  // The whole database has it in the dump, if it was there.
  if (!('drizzle.__drizzle_migrations' in record.rows)) {
    await psql.ask(await resetAdoptedRows(connection, record.state?.adoptedRows ?? []));
  }
  const pauses = await settlePauses(psql, standing);
  options.onPhase?.('counting rows …');
  const rows = readCounts(await psql.ask(countSql(record)));
  await beforeCommit();
  throwIfAborted(options.signal, 'nothing was changed');
  await transaction.commit();
  return { ...(await check(job, rows)), ...pauses };
}

async function check(job: RestoreJob, rows: Readonly<Record<string, number>>): Promise<RestoreReport> {
  const { connection, record, options, replaced } = job;
  options.onPhase?.('analyzing …');
  // A restored table has no statistics; the planner would guess until autovacuum comes by.
  for (const table of Object.keys(rows)) await connection.execute(`analyze ${table}`);
  options.onPhase?.('verifying …');
  const outside = await enterSchema(connection, record.state?.schema ?? null);
  const compared = await compareState(connection, record);
  const verification = await options.verify?.(connection, compared.state.applied);
  const keptArchives = await listKept(connection, replaced.archives);
  return {
    target: connection.target,
    record,
    ...compareRows(record, rows),
    ...compared,
    verification,
    ...(keptArchives.length === 0 ? {} : { keptArchives }),
    ...(outside === undefined ? {} : { outsideSearchPath: outside }),
  };
}

/** Between two signs of life. */
const progressEveryMs = 200;

async function runScript(
  { file, programs, running, connection, list, options, isEmpty, replaced }: RestoreJob,
  { psql }: RestoreTransaction,
): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'multi-pair-db-restore-'));
  try {
    const wanted = leaveOut(list, replaced.present);
    await writeFile(path.join(folder, 'list'), wanted, { mode: 0o600 });
    const total = wanted.trim().split('\n').length;
    let [done, bytes, shownAt, now] = [0, 0, 0, ''];
    const show = (): void => {
      if (Date.now() - shownAt < progressEveryMs) return;
      shownAt = Date.now();
      options.onProgress?.(
        `  ${formatCount(Math.min(done, total))} of ${count(total, 'object', 'objects')}, ${formatBytes(bytes)}: ${now}`,
      );
    };
    await feedScript(psql, {
      programs,
      running,
      serverMajor: majorOf(connection.versionNumber),
      args: [
        ...(isEmpty ? [] : ['--clean', '--if-exists']),
        ...(options.withoutOwners === true ? ['--no-owner', '--no-privileges'] : []),
        `--use-list=${path.join(folder, 'list')}`,
        file,
      ],
      onObject: (text) => {
        done += 1;
        now = text;
        show();
      },
      onBytes: (count) => {
        bytes += count;
        show();
      },
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function readCounts(lines: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const line of lines) {
    const answer: unknown = JSON.parse(line);
    if (typeof answer !== 'object' || answer === null) continue;
    counts[String(Reflect.get(answer, 'table'))] = Number(Reflect.get(answer, 'rows'));
  }
  return counts;
}

/** Where this role would not find the restored tables, the check looks for them where they are, and the report says so. */
async function enterSchema(connection: Connection, schema: string | null): Promise<string | undefined> {
  if (schema === null) return undefined;
  const [row] = await connection.query<{ isFound: boolean }>(
    'select $1 = any (current_schemas(false)) as "isFound"',
    [schema],
  );
  if (row?.isFound === true) return undefined;
  await connection.execute(`set search_path = ${quoteIdentifier(schema)}, public`);
  return schema;
}
