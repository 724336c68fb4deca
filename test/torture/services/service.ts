import { setTimeout as sleep } from 'node:timers/promises';
import { drizzle, type PostgresJsDatabase } from 'drizzle-orm/postgres-js';
import postgres, { type Sql } from 'postgres';
import { nowMs, type WaitRecorder } from './clock.ts';
import { describeSurprise, isRefused, sqlStateOf } from './errors.ts';
import type { Ledger, Write } from './ledger.ts';

/** What one service does again and again: a statement, and the rows that it commits. */
export interface Deed {
  readonly writes?: readonly Write[];
  run(): Promise<unknown>;
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
}

/** One connection, which comes back at once when the server does. */
export const connect = (url: string, max = 1): Sql =>
  postgres(url, { max, backoff: () => 0.05, connect_timeout: 5, onnotice: () => {}, fetch_types: false });

/** Works until told to rest; resolves when its last statement has been answered. */
export async function runService(url: string, office: Office, service: Service): Promise<void> {
  const sql = connect(url);
  const { ledger, next, random } = office;
  const desk: Desk = { sql, db: drizzle({ client: sql }), ledger, next, random };
  try {
    office.at.set(service.name, 'connecting');
    await comeBack(sql, office);
    while (office.isWorking()) {
      const deed = service.deed(desk);
      office.at.set(service.name, 'a statement');
      const isDone = deed === undefined || (await perform(deed, service, office));
      office.at.set(service.name, 'connecting again');
      if (!isDone) await comeBack(sql, office);
      await sleep(service.pauseMs * (0.5 + office.random()));
    }
  } finally {
    office.at.set(service.name, 'closing');
    await sql.end({ timeout: 2 });
    office.at.delete(service.name);
  }
}

/** Connects outside the time that is measured: nobody trades on a connection that is not there yet. */
async function comeBack(sql: Sql, office: Office): Promise<void> {
  while (office.isWorking()) {
    try {
      await sql`select 1`;
      return;
    } catch {
      await sleep(50);
    }
  }
}

async function perform(deed: Deed, { name }: Service, office: Office): Promise<boolean> {
  const { writes = [] } = deed;
  const fromMs = nowMs();
  office.ledger.send(writes);
  try {
    await deed.run();
    office.ledger.acknowledge(writes);
    return true;
  } catch (error) {
    if (isRefused(error)) office.ledger.refuse(writes);
    const state = sqlStateOf(error) ?? 'no answer';
    office.errors.set(state, (office.errors.get(state) ?? 0) + 1);
    const surprise = describeSurprise(error);
    if (surprise !== undefined) office.surprises.push(`${name} was told ${surprise}`);
    return false;
  } finally {
    office.waits.record({ service: name, fromMs, toMs: nowMs() });
  }
}
