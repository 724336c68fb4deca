import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { PGlite } from '@electric-sql/pglite';
import type { Connection, FileSource, Notice, Parameter } from './connection.ts';
import { loadDriver } from './driver.ts';
import { lockEmbedded } from './embedded-lock.ts';
import { OperationError, type StatementSource, toOperationError } from './errors.ts';

const keep = (text: string): string => text;

/** Opens the embedded database in a directory; makes it where it is missing, if it may. */
export async function openEmbedded(directory: string, create: boolean): Promise<Connection> {
  if (!create)
    refuseMissing(directory, 'Check the directory. `multi-pair-db migrate` makes a new embedded database.');
  await mkdir(path.dirname(path.resolve(directory)), { recursive: true });
  return (await openPglite({ directory })).connection;
}

/** @throws OperationError `DATABASE_MISSING` where a directory holds no embedded database. */
export function refuseMissing(directory: string, advice: string): void {
  if (existsSync(path.join(directory, 'PG_VERSION'))) return;
  throw new OperationError({
    code: 'DATABASE_MISSING',
    message: `there is no embedded database in ${directory}`,
    advice,
  });
}

/**
 * A PGlite and a connection on it: in a directory, which is taken for this process, or in memory without one; loaded
 * from a dump where there is one.
 *
 * @throws OperationError `LOCKED`, `DRIVER_MISSING`; `FILE_INVALID` where the dump is none, else `UNREACHABLE`
 */
export async function openPglite({
  directory,
  dump,
}: {
  readonly directory?: string;
  readonly dump?: Blob;
}): Promise<{ client: PGlite; connection: Connection }> {
  const { PGlite: Database } = await loadDriver('@electric-sql/pglite', () => import('@electric-sql/pglite'));
  const release = directory === undefined ? async () => {} : await lockEmbedded(directory);
  try {
    const client = await Database.create({
      ...(directory === undefined ? {} : { dataDir: directory }),
      ...(dump === undefined ? {} : { loadDataDir: dump }),
    });
    const target = directory === undefined ? 'pglite' : `pglite:${directory}`;
    return { client, connection: await connectEmbedded(client, target, release) };
  } catch (cause) {
    await release();
    if (cause instanceof OperationError) throw cause;
    const what = dump === undefined ? `the embedded database in ${directory}` : 'the dump';
    throw new OperationError({
      code: dump === undefined ? 'UNREACHABLE' : 'FILE_INVALID',
      message: `${what} can’t be opened: ${cause instanceof Error ? cause.message : String(cause)}`,
      advice: 'It may be damaged, or made by another version of PGlite. Nothing was changed.',
    });
  }
}

/**
 * A `Connection` on a PGlite that is open already. Closing it closes the PGlite.
 *
 * @example
 * import { PGlite } from '@electric-sql/pglite';
 *
 * await using connection = await connectEmbedded(await PGlite.create());
 * await applyMigrations(connection);
 */
export async function connectEmbedded(
  client: PGlite,
  target = 'pglite',
  onClose: () => Promise<void> = async () => {},
): Promise<Connection> {
  const connection = new EmbeddedSession(client, target, onClose);
  await connection.identify();
  return connection;
}

class EmbeddedSession implements Connection {
  readonly kind = 'embedded';
  readonly target: string;
  versionNumber = 0;
  pid = 0;
  readonly #client: PGlite;
  readonly #onClose: () => Promise<void>;
  readonly #listeners = new Set<(notice: Notice) => void>();

  constructor(client: PGlite, target: string, onClose: () => Promise<void>) {
    this.#client = client;
    this.#onClose = onClose;
    this.target = target;
  }

  async identify(): Promise<void> {
    const [row] = await this.query<{ version: number; pid: number }>(
      "select current_setting('server_version_num')::int as version, pg_backend_pid() as pid",
    );
    this.versionNumber = row?.version ?? 0;
    this.pid = row?.pid ?? 0;
  }

  async query<Row extends object>(text: string, parameters: readonly Parameter[] = []): Promise<Row[]> {
    const result = await this.#guard({ statement: text }, () =>
      this.#client.query<Row>(text, [...parameters], { onNotice: this.#announce }),
    );
    return result.rows;
  }

  async execute(text: string, source?: FileSource): Promise<void> {
    await this.#guard({ statement: text, ...source }, () =>
      this.#client.exec(text, { onNotice: this.#announce }),
    );
  }

  readonly #announce = (notice: { severity?: string | undefined; message?: string | undefined }): void => {
    const seen = { severity: notice.severity ?? '', message: notice.message ?? '' };
    for (const listener of this.#listeners) listener(seen);
  };

  async #guard<Result>(source: StatementSource, run: () => Promise<Result>): Promise<Result> {
    try {
      return await run();
    } catch (cause) {
      throw toOperationError(cause, source, keep);
    }
  }

  onNotice(listener: (notice: Notice) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async cancel(): Promise<void> {}

  async openSecond(): Promise<undefined> {}

  async close(): Promise<void> {
    if (this.#client.closed) return;
    await this.#client.close();
    await this.#onClose();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
