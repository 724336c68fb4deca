import { openConnection } from '../migrate/connection.ts';
import { ownMigrationsFolder } from '../migrate/folder.ts';
import { readStatus, type Status } from '../migrate/status.ts';
import type { CliCommand } from './command.ts';

export const status: CliCommand = {
  usage: 'status',
  summary: 'which migrations are applied and which are pending',
  exitCodes: { 0: 'all migrations are applied', 1: 'migrations are pending' },
  run: async ({ url }) => {
    await using connection = await openConnection(url);
    const result = await readStatus(connection, ownMigrationsFolder);
    return { exitCode: result.pending.length === 0 ? 0 : 1, result, text: format(result) };
  },
};

function format(result: Status): string {
  return [
    result.target,
    ...result.applied.map((tag) => `  applied  ${tag}`),
    ...result.pending.map((tag) => `  pending  ${tag}`),
  ].join('\n');
}
