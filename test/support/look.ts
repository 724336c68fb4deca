import { openConnection } from '../../src/connection/open.ts';
import { type CheckReport, type PreflightOptions, runPreflight } from '../../src/own/index.ts';

/** What one check of preflight says of a database. */
export async function look(url: string, id: string, options?: PreflightOptions): Promise<CheckReport> {
  await using connection = await openConnection(url);
  const { checks } = await runPreflight(connection, options);
  const report = checks.find((check) => check.id === id);
  if (report === undefined) throw new Error(`no check ${id}`);
  return report;
}
