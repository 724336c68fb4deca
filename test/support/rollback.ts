import type { Connection } from '../../src/connection/connection.ts';
import { openConnection } from '../../src/connection/open.ts';
import { rollbackMigration } from '../../src/own/index.ts';
import { tagsAfter } from './facts.ts';

/**
 * Rolls back what comes after a migration, the newest first: that one is then the last that is applied. Tests of the
 * historic files say by it what they are about, however many files have come since.
 */
export async function rollBackDownTo(connection: Connection, name: string): Promise<void> {
  for (const tag of tagsAfter(name).reverse()) {
    await rollbackMigration(connection, tag, { acceptDataLoss: true });
  }
}

/** The same on a connection of its own. */
export async function rollBackDatabaseDownTo(url: string, name: string): Promise<void> {
  await using connection = await openConnection(url);
  await rollBackDownTo(connection, name);
}
