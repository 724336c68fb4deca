import type { Connection } from '../connection/connection.ts';
import { OperationError } from '../connection/errors.ts';
import { createRedactor, parseTarget } from '../connection/url.ts';
import { openRunLog, type RunLog, type RunLogEnd } from '../ops/report/log.ts';
import type { RunEnd } from '../ops/report/report.ts';
import { readSizes } from '../ops/report/sizes.ts';
import type { CommandContext, InputOf, Outcome } from './command.ts';
import { notify } from './notify.ts';
import { readOperator } from './operator.ts';
import { unexpected } from './output.ts';
import { value, valueWithDefault } from './parameters.ts';
import { text } from './parsers.ts';

/** For commands that write. */
export const reportInput = {
  reportFolder: valueWithDefault(
    '--reports <folder>',
    'where to leave the report of the run: JSON, and a page to look at',
    text,
    'reports',
  ),
  notifyCommand: value('--notify <command>', 'a shell command to run at the end, also of a failure', text),
};

/**
 * Runs what writes, and leaves a report of it: of every run that has changed something, or has begun to. A run that was
 * refused, or that has found nothing to do, leaves none.
 */
export async function withReport(
  command: string,
  { url, release, progress }: CommandContext,
  { reportFolder, notifyCommand }: InputOf<typeof reportInput>,
  work: (log: RunLog) => Promise<Outcome>,
): Promise<Outcome> {
  const target = parseTarget(url).name;
  const log = openRunLog(reportFolder, { command, release, target, operator: readOperator() });
  const end = async (ended: RunEnd, message: string): Promise<RunLogEnd> => {
    const written = log.close(ended);
    const { files, fault } = written;
    if (files !== undefined) progress.line(`report: ${files.page}`);
    if (fault !== undefined) progress.line(`the report of this run could not be written: ${fault}`);
    const { exitCode } = ended;
    const report = files?.page;
    await notify(notifyCommand, { command, target, exitCode, message, report }, progress.line);
    return written;
  };
  try {
    const { exitCode, result, text: printed } = await work(log);
    const { files } = await end({ exitCode, result, text: printed }, firstLine(printed));
    return { exitCode, result: { ...result, report: files }, text: printed };
  } catch (cause) {
    // Also what is a fault of ours: a report that says "it is going on" would lie.
    const error = unexpected(cause, createRedactor(url));
    await end({ exitCode: error.exitCode, error: error.toJSON() }, firstLine(error.message));
    throw cause;
  }
}

const firstLine = (printed: string): string => printed.split('\n', 1)[0] ?? '';

/** Notes who works where. From now on there is a report, unless it is for the work to say when it begins. */
export async function noteServer(log: RunLog, connection: Connection, { begins = true } = {}): Promise<void> {
  const [row] = await connection.query<{ role: string }>('select current_user::text as role');
  log.note({ versionNumber: connection.versionNumber, ...row });
  if (begins) log.begin();
}

/** Notes how large the tables and indexes are. What was done is done, whether this can be read or not. */
export async function noteSizes(
  log: RunLog,
  connection: Connection,
  say: (text: string) => void,
): Promise<void> {
  try {
    log.note(await readSizes(connection));
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    say(`the sizes of tables and indexes are not in the report: ${error.message}`);
  }
}
