import type { Socket } from 'node:net';
import type postgres from 'postgres';
import { parseArray, serializeArray } from './arrays.ts';
import type { Connection, FileSource, Notice, Parameter, ReachedEndpoint } from './connection.ts';
import { OperationError, type StatementSource, toOperationError } from './errors.ts';
import type { Line } from './line.ts';
import type { Endpoint } from './url/endpoints.ts';
import type { ServerTarget } from './url.ts';

type Types = { bigint: postgres.PostgresType<number | bigint> };
/** The driver takes a function that opens its sockets, and its types do not know. */
type DriverOptions = postgres.Options<Types> & { readonly socket: () => Promise<Socket> };
type Running = Pick<postgres.PendingQuery<postgres.Row[]>, 'cancel'>;

/** What a session is made from. */
export interface SessionParts {
  readonly target: ServerTarget;
  readonly driver: typeof postgres;
  readonly line: Line;
  readonly endpoint: Endpoint;
  readonly redact: (text: string) => string;
  readonly password: string | undefined;
  readonly openSecond: () => Promise<Connection>;
}

/** Sessions, sizes and epoch milliseconds stay far below 2^53; what does not is not rounded in silence. */
const parseBigint = (text: string): number | bigint =>
  Number.isSafeInteger(Number(text)) ? Number(text) : BigInt(text);

/** How long a session may take to say goodbye. */
const goodbyeSeconds = 5;

/** A session of a server, through postgres.js. */
export class ServerSession implements Connection {
  readonly kind = 'server';
  readonly target: string;
  readonly endpoint: ReachedEndpoint;
  versionNumber = 0;
  pid = 0;
  readonly #parts: SessionParts;
  readonly #sql: postgres.Sql<{ bigint: number | bigint }>;
  readonly #listeners = new Set<(notice: Notice) => void>();
  readonly #onClose: (() => void)[] = [];
  #running: Running | undefined;
  #established = false;

  constructor(parts: SessionParts) {
    this.#parts = parts;
    this.target = parts.target.name;
    this.endpoint = parts.endpoint;
    this.#sql = parts.driver(
      listDriverOptions(parts, {
        onnotice: (notice) => {
          const seen = { severity: notice['severity'] ?? '', message: notice['message'] ?? '' };
          for (const listener of this.#listeners) listener(seen);
        },
      }),
    );
  }

  /** Opens it: the first statement does. */
  async identify(): Promise<void> {
    const [row] = await this.query<{ version: number; pid: number; arrays: string }>(
      `select current_setting('server_version_num')::int as version, pg_backend_pid() as pid,
              (select string_agg(oid || ' ' || typarray, ',') from pg_type where typarray <> 0) as arrays`,
    );
    this.versionNumber = row?.version ?? 0;
    this.pid = row?.pid ?? 0;
    this.#learnArrays(row?.arrays ?? '');
    this.#established = true;
    this.#parts.line.use();
  }

  /**
   * Which types are arrays of which. The driver can ask by itself, but what that statement meets (a role that may not
   * read pg_type, a server that goes away) it throws where nobody can catch it.
   */
  #learnArrays(pairs: string): void {
    const { parsers, serializers } = this.#sql.options;
    for (const pair of pairs.split(',')) {
      const [element = 0, array = 0] = pair.split(' ').map(Number);
      parsers[array] = (text: string) => parseArray(text, element, parsers[element]);
      serializers[array] = (value: unknown) =>
        Array.isArray(value) ? serializeArray(value, element, serializers[element]) : String(value);
    }
  }

  async query<Row extends object>(text: string, parameters: readonly Parameter[] = []): Promise<Row[]> {
    this.#refuseLost();
    return this.#run({ statement: text }, this.#sql.unsafe<Row[]>(text, [...parameters]));
  }

  async execute(text: string, source?: FileSource): Promise<void> {
    this.#refuseLost();
    await this.#run({ statement: text, ...source }, this.#sql.unsafe(text).simple());
  }

  #refuseLost(): void {
    if (this.#parts.line.fault !== undefined) throw this.#parts.line.fault;
    // The driver would open another session for the next statement, without our locks and settings.
    if (this.#parts.line.isLost) throw connectionLost(this.target);
  }

  async #run<Row extends object>(
    source: StatementSource,
    running: Running & PromiseLike<Iterable<Row>>,
  ): Promise<Row[]> {
    this.#running = running;
    try {
      return [...(await this.#parts.line.whileOpen(running, () => connectionLost(this.target)))];
    } catch (cause) {
      throw this.#parts.line.fault ?? toOperationError(cause, source, this.#parts.redact);
    } finally {
      this.#running = undefined;
    }
  }

  onNotice(listener: (notice: Notice) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async cancel(): Promise<void> {
    await Promise.race([this.#running?.cancel(), this.#parts.line.cutOff]);
  }

  openSecond(): Promise<Connection> {
    return this.#parts.openSecond();
  }

  /** Calls `listener` when the session is closed. */
  onClose(listener: () => void): void {
    this.#onClose.push(listener);
  }

  async close(): Promise<void> {
    // Nothing is in flight on a session that is gone.
    const isGone = this.#parts.line.isLost || !this.#established || this.#parts.line.fault !== undefined;
    if (isGone) this.#parts.line.cut();
    const ended = this.#sql.end({ timeout: isGone ? 0 : goodbyeSeconds });
    // Cut off while it says goodbye, it is as closed as can be.
    await Promise.race([ended, this.#parts.line.cutOff]).catch(() => {});
    this.#parts.line.cut();
    for (const listener of this.#onClose) listener();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** Every option that postgres.js would otherwise look up in the environment, by names of its own. */
function listDriverOptions(
  { target: { settings }, line, password }: SessionParts,
  listeners: Pick<DriverOptions, 'onnotice'>,
): DriverOptions {
  const { user, database, keepAliveSeconds, startup } = settings;
  // The driver looks into the environment where it is told nothing, and then ends a session on the wrong kind of server.
  // Where no host has a name there is no next one to prefer: so it takes the one that it is given.
  const anyServer = process.env['PGTARGETSESSIONATTRS'] ? ('prefer-standby' as const) : undefined;
  return {
    ...listeners,
    host: ',',
    port: 1,
    socket: () => line.open(),
    user,
    database,
    // Where there is none, the driver would take PGPASSWORD, which has been read already.
    password: () => password ?? '',
    connection: startup,
    // The line encrypts, chooses among servers, and has the patience.
    ssl: false,
    ...(anyServer === undefined ? {} : { target_session_attrs: anyServer }),
    connect_timeout: 0,
    keep_alive: keepAliveSeconds,
    max: 1,
    prepare: false,
    fetch_types: false,
    // The driver would replace the session after half an hour, and its locks and settings with it.
    max_lifetime: null,
    idle_timeout: 0,
    types: { bigint: { to: 20, from: [20], serialize: String, parse: parseBigint } },
  };
}

function connectionLost(target: string): OperationError {
  return new OperationError({
    code: 'CONNECTION_LOST',
    message: `the connection to ${target} was lost`,
    advice: 'What was committed stays. Run the same command again when the server is back.',
  });
}
