import type postgres from 'postgres';
import type { Connection, FileSource, Notice, Parameter } from './connection.ts';
import { loadDriver } from './driver.ts';
import { OperationError, type StatementSource, toOperationError } from './errors.ts';
import { quoteIdentifier } from './identifiers.ts';
import { createRedactor, type ServerTarget } from './url.ts';

/** Seconds to wait for a server that does not answer, unless the URL says otherwise (`connect_timeout`). */
const connectTimeoutSeconds = 10;

type Types = { bigint: number | bigint };
type Running = postgres.PendingQuery<postgres.Row[]>;

/** Sessions, sizes and epoch milliseconds stay far below 2^53; what does not is not rounded in silence. */
const parseBigint = (text: string): number | bigint =>
  Number.isSafeInteger(Number(text)) ? Number(text) : BigInt(text);

export async function openServer(target: ServerTarget): Promise<Connection> {
  const redact = createRedactor(target.url);
  const { default: driver } = await loadDriver('postgres', () => import('postgres'));
  const session = new ServerSession(target, redact);
  session.start(driver);
  try {
    await session.identify();
  } catch (error) {
    await session.close();
    throw error;
  }
  return session;
}

class ServerSession implements Connection {
  readonly kind = 'server';
  readonly target: string;
  versionNumber = 0;
  pid = 0;
  readonly #target: ServerTarget;
  readonly #redact: (text: string) => string;
  readonly #listeners = new Set<(notice: Notice) => void>();
  #sql: postgres.Sql<Types> | undefined;
  #running: Pick<Running, 'cancel'> | undefined;
  #established = false;
  #lost = false;

  constructor(target: ServerTarget, redact: (text: string) => string) {
    this.#target = target;
    this.target = target.name;
    this.#redact = redact;
  }

  start(driver: typeof postgres): void {
    const { url, database } = this.#target;
    this.#sql = driver(url, {
      // The driver takes the URL's name of the database as it is written, percent signs and all.
      ...(database === '' ? {} : { database }),
      max: 1,
      prepare: false,
      // The driver would replace the session after half an hour, and its locks and settings with it.
      max_lifetime: null,
      idle_timeout: undefined,
      ...(/[?&]connect_timeout=/.test(url) ? {} : { connect_timeout: connectTimeoutSeconds }),
      connection: { application_name: 'multi-pair-db' },
      types: { bigint: { to: 20, from: [20], serialize: String, parse: parseBigint } },
      onnotice: (notice) => {
        const seen = { severity: notice['severity'] ?? '', message: notice['message'] ?? '' };
        for (const listener of this.#listeners) listener(seen);
      },
      // The driver would open another session for the next statement, without our locks and settings.
      onclose: () => {
        this.#lost = this.#established;
      },
    });
  }

  async identify(): Promise<void> {
    try {
      const [row] = await this.query<{ version: number; pid: number }>(
        "select current_setting('server_version_num')::int as version, pg_backend_pid() as pid",
      );
      this.versionNumber = row?.version ?? 0;
      this.pid = row?.pid ?? 0;
      this.#established = true;
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      const message = `${this.target} can’t be opened: ${error.message}`;
      // No statement was run: what nobody foresaw is a fault of the URL, of the network or of the server.
      const code = error.code === 'STATEMENT_FAILED' ? 'UNREACHABLE' : error.code;
      const advice = error.message.includes('not currently accepting connections')
        ? `A restore may be under way, which keeps sessions out until it has ended. If none is, one was cut off: run, in another database of the server: alter database ${quoteIdentifier(this.#target.database)} with allow_connections true;`
        : error.advice;
      throw new OperationError({ ...error.toJSON(), code, message, advice, statement: undefined });
    }
  }

  async query<Row extends object>(text: string, parameters: readonly Parameter[] = []): Promise<Row[]> {
    const sql = this.#open();
    return this.#run({ statement: text }, sql.unsafe<Row[]>(text, [...parameters]));
  }

  async execute(text: string, source?: FileSource): Promise<void> {
    const sql = this.#open();
    await this.#run({ statement: text, ...source }, sql.unsafe(text).simple());
  }

  #open(): postgres.Sql<Types> {
    if (this.#sql === undefined || this.#lost) throw connectionLost(this.target);
    return this.#sql;
  }

  async #run<Row extends object>(
    source: StatementSource,
    running: Pick<postgres.PendingQuery<Row[]>, 'cancel'> & PromiseLike<Iterable<Row>>,
  ): Promise<Row[]> {
    this.#running = running;
    try {
      return [...(await running)];
    } catch (cause) {
      throw toOperationError(cause, source, this.#redact);
    } finally {
      this.#running = undefined;
    }
  }

  onNotice(listener: (notice: Notice) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async cancel(): Promise<void> {
    await this.#running?.cancel();
  }

  openSecond(): Promise<Connection> {
    return openServer(this.#target);
  }

  async close(): Promise<void> {
    // Nothing is in flight on a session that is gone.
    await this.#sql?.end({ timeout: this.#lost ? 0 : 5 });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function connectionLost(target: string): OperationError {
  return new OperationError({
    code: 'CONNECTION_LOST',
    message: `the connection to ${target} was lost`,
    advice: 'What was committed stays. Run the same command again when the server is back.',
  });
}
