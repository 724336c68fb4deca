import { setTimeout as sleep } from 'node:timers/promises';
import { drizzle, type PostgresJsDatabase } from 'drizzle-orm/postgres-js';
import postgres, { type Sql } from 'postgres';
import { nowMs, type WaitRecorder } from './clock.ts';
import { describeSurprise, isRefused, sqlStateOf } from './errors.ts';
import type { Ledger, Write } from './ledger.ts';

/** What one service does again and again: a statement, and the rows that it commits. */
export interface Deed {
  readonly writes?: readonly Write[];
  run(): PromiseLike<unknown>;
}

/** What a service has at hand. */
export interface Desk {
  readonly sql: Sql;
  readonly db: PostgresJsDatabase;
  readonly ledger: Ledger;
  /** A number that no row had before. */
  next(): number;
  random(): number;
}

export interface Service {
  readonly name: string;
  /** Between two statements. */
  readonly pauseMs: number;
  /** The next thing to do; undefined: nothing now. */
  deed(desk: Desk): Deed | undefined;
}

/** All services share what they know and what they have felt. */
export interface Office {
  readonly ledger: Ledger;
  readonly waits: Pick<WaitRecorder, 'record'>;
  readonly surprises: string[];
  /** Errors that a service may meet, by SQLSTATE. */
  readonly errors: Map<string, number>;
  next(): number;
  random(): number;
  isWorking(): boolean;
  /** What each service is at, by its name. */
  readonly at: Map<string, string>;
  /** Connections of services that rest, by their names: as in a pool, they stay open. A new one costs the server as much as many statements. */
  readonly idle: Map<string, Sql>;
}

/** One connection, which comes back at once when the server does. */
export const connect = (url: string, name: string, max = 1): Sql =>
  postgres(url, {
    max,
    connection: { application_name: name },
    backoff: () => 0.05,
    connect_timeout: 5,
    onnotice: () => {},
    fetch_types: false,
  });

/** Works until told to rest; resolves when its last statement has been answered. Its connection stays open. */
export async function runService(url: string, office: Office, service: Service): Promise<void> {
  office.at.set(service.name, 'connecting');
  let desk = await sitDown(url, service, office);
  while (office.isWorking()) {
    const deed = service.deed(desk);
    office.at.set(service.name, 'a statement');
    const answer = deed === undefined ? 'done' : await perform(deed, service, office);
    if (answer === 'lost') {
      office.at.set(service.name, 'connecting again');
      await leave(desk.sql);
      desk = await sitDown(url, service, office);
    }
    // Where the schema is not there, it is not asked for all the time.
    await sleep(answer === 'refused' ? refusedPauseMs : service.pauseMs * (0.5 + office.random()));
  }
  office.idle.set(service.name, desk.sql);
  office.at.delete(service.name);
}

/** Closes what resting services have left open. */
export async function closeIdle(idle: Map<string, Sql>): Promise<void> {
  await Promise.all([...idle.values()].map(leave));
  idle.clear();
}

const refusedPauseMs = 200;
/** postgres.js loses a statement now and then whose server goes away: it is never answered. */
const lostAfterMs = 20_000;
const leave = (sql: Sql): Promise<void> => sql.end({ timeout: 1 }).catch(() => {});

/** Connects outside the time that is measured: nobody trades on a connection that is not there yet. */
async function sitDown(url: string, { name }: Service, office: Office): Promise<Desk> {
  const { ledger, next, random, idle } = office;
  for (;;) {
    const sql = idle.get(name) ?? connect(url, name);
    idle.delete(name);
    const isThere = await Promise.race([
      sql`select 1`.then(
        () => true,
        () => false,
      ),
      sleep(2_000, false, { ref: false }),
    ]);
    if (isThere || !office.isWorking()) return { sql, db: drizzle({ client: sql }), ledger, next, random };
    await leave(sql);
    await sleep(50);
  }
}

async function answered(statement: PromiseLike<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const lost = Object.assign(new Error('no answer'), { code: 'CONNECTION_LOST' });
    timer = setTimeout(() => reject(lost), lostAfterMs);
  });
  await Promise.race([statement, late]).finally(() => clearTimeout(timer));
}

async function perform(deed: Deed, { name }: Service, office: Office): Promise<'done' | 'refused' | 'lost'> {
  const { writes = [] } = deed;
  const fromMs = nowMs();
  office.ledger.send(writes);
  try {
    await answered(deed.run());
    office.ledger.acknowledge(writes);
    return 'done';
  } catch (error) {
    const isKnown = isRefused(error);
    if (isKnown) office.ledger.refuse(writes);
    const state = sqlStateOf(error) ?? 'no answer';
    office.errors.set(state, (office.errors.get(state) ?? 0) + 1);
    const surprise = describeSurprise(error);
    if (surprise !== undefined) office.surprises.push(`${name} was told ${surprise}`);
    // A statement that was prepared for other columns fails until the service connects again.
    return isKnown && state !== '0A000' ? 'refused' : 'lost';
  } finally {
    office.waits.record({ service: name, fromMs, toMs: nowMs() });
  }
}
