import type { Connection } from '../connection/connection.ts';
import { OperationError } from '../connection/errors.ts';
import { parseTarget } from '../connection/url.ts';
import { openRunLog, type RunLog, type RunLogEnd } from '../ops/report/log.ts';
import type { CommandContext, Outcome } from './command.ts';
import { readOperator } from './operator.ts';
import { valueWithDefault } from './parameters.ts';
import { text } from './parsers.ts';

/** For commands that write. */
export const reportInput = {
  reportFolder: valueWithDefault(
    '--reports <folder>',
    'where to leave the report of the run: JSON, and a page to look at',
    text,
    'reports',
  ),
};

/**
 * Runs what writes, and leaves a report of it: of every run that has changed something, or has begun to. A run that was
 * refused, or that has found nothing to do, leaves none.
 */
export async function withReport(
  command: string,
  { url, release, progress }: CommandContext,
  folder: string,
  work: (log: RunLog) => Promise<Outcome>,
): Promise<Outcome> {
  const target = parseTarget(url).name;
  const log = openRunLog(folder, { command, release, target, operator: readOperator() });
  try {
    const { exitCode, result, text: printed } = await work(log);
    const end = log.close({ exitCode, result, text: printed });
    tell(end, progress.line);
    return { exitCode, result: { ...result, report: end.files }, text: printed };
  } catch (error) {
    if (error instanceof OperationError) {
      tell(log.close({ exitCode: error.exitCode, error: error.toJSON() }), progress.line);
    }
    throw error;
  }
}

/** Notes who works where. From now on there is a report, unless it is for the work to say when it begins. */
export async function noteServer(log: RunLog, connection: Connection, { begins = true } = {}): Promise<void> {
  const [row] = await connection.query<{ role: string }>('select current_user::text as role');
  log.note({ versionNumber: connection.versionNumber, ...row });
  if (begins) log.begin();
}

function tell({ files, fault }: RunLogEnd, say: (text: string) => void): void {
  if (files !== undefined) say(`report of this run: ${files.page}`);
  if (fault !== undefined) say(`the report of this run could not be written: ${fault}`);
}
