import type { Connection } from '../../connection/connection.ts';
import { quoteLiteral } from '../../connection/identifiers.ts';
import { type Pause, pauseTable, readPause, resumeRuns } from '../../migrate/pause.ts';
import type { Psql } from './psql.ts';

/**
 * What became of pauses. One that is in a file is of the moment of the backup, and ends; `backup` leaves it out, a dump that
 * was made by hand or of an embedded database has it. One that stands on a server is an operator's word on this
 * database, whatever its tables hold: it stands until `resume`.
 */
export interface RestoredPauses {
  /** It was in the file, and is not restored. */
  readonly droppedPause?: Pause;
  /** It stood before, and stands. */
  readonly keptPause?: Pause;
  /** It stood before, and the restored state has no table for it. */
  readonly lostPause?: Pause;
}

/** In the transaction of the restore: nobody ever sees the pause of the file. */
export async function settlePauses(psql: Psql, standing: Pause | undefined): Promise<RestoredPauses> {
  const [isThere] = await psql.ask(`select to_regclass('${pauseTable}') is not null;`);
  if (isThere !== 't') return standing === undefined ? {} : { lostPause: standing };
  const [line] = await psql.ask(
    `delete from ${pauseTable} returning json_build_object(
       'by', paused_by, 'sinceMs', (extract(epoch from paused_at) * 1000)::float8, 'reason', reason);`,
  );
  if (standing !== undefined) await psql.ask(insertSql(standing));
  const held = line === undefined ? undefined : toPause(JSON.parse(line));
  // A dump of this very pause.
  const isSame = held?.by === standing?.by && held?.sinceMs === standing?.sinceMs;
  return {
    ...(held === undefined || isSame ? {} : { droppedPause: held }),
    ...(standing === undefined ? {} : { keptPause: standing }),
  };
}

/** Of an embedded database that was loaded beside the one that it replaces. */
export async function dropPause(connection: Connection): Promise<RestoredPauses> {
  const held = await readPause(connection);
  if (held === undefined) return {};
  await resumeRuns(connection);
  return { droppedPause: held };
}

const insertSql = ({ by, sinceMs, reason }: Pause): string =>
  `insert into ${pauseTable} (paused_by, paused_at, reason)
   values (${quoteLiteral(by)}, to_timestamp(${sinceMs}::float8 / 1000), ${reason === undefined ? 'null' : quoteLiteral(reason)});`;

function toPause(answer: unknown): Pause {
  const get = (name: string): unknown =>
    typeof answer === 'object' && answer !== null ? Reflect.get(answer, name) : undefined;
  const reason = get('reason');
  return {
    by: String(get('by')),
    sinceMs: Number(get('sinceMs')),
    reason: typeof reason === 'string' ? reason : undefined,
  };
}
