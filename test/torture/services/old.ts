import type { PendingQuery, Row, Sql } from 'postgres';
import { add, change, type Kind, oldFill, oldOrder, oldSession, touchedSession } from './kinds.ts';
import type { Write } from './ledger.ts';
import type { Deed, Desk, Service } from './service.ts';

/**
 * Services of the old kind: plain SQL that knows one pair a session and nothing of our columns, upserts in chunks, and
 * `select *` that is prepared.
 */
export const oldServices: readonly Service[] = [
  { name: 'old sessions', pauseMs: 75, deed: saveSessions },
  { name: 'old orders', pauseMs: 60, deed: saveOrders },
  { name: 'old fills', pauseMs: 45, deed: saveFills },
  { name: 'old status', pauseMs: 45, deed: touchSession },
  { name: 'old reader', pauseMs: 60, deed: readSession },
];

const chunk = 5;

/** Some are new, and some are there: an upsert does not care. */
function chunkOf(desk: Desk, kind: Kind, known: number): Write[] {
  const ids = Array.from({ length: known }, () => desk.ledger.pick(kind.prefix, desk.random()));
  // Twice in one statement is refused by PostgreSQL.
  const there = [...new Set(ids)].flatMap((id) => (id === undefined ? [] : [change(kind, id, desk.next())]));
  return [...there, ...Array.from({ length: chunk - there.length }, () => add(kind, desk.next()))];
}

function saveSessions(desk: Desk): Deed {
  const writes = chunkOf(desk, oldSession, 2);
  const rows = writes.map(({ id, version }) => ({
    id,
    exchange: 'kraken',
    startedat: Date.now(),
    settlesession: version % 3 === 0,
    lastupdated: Date.now(),
    sessionlength: version,
    ...oldSession.columns(version),
  }));
  return {
    writes,
    run: () => desk.sql`insert into sessions ${desk.sql(rows)}
      on conflict (id) do update set status = excluded.status, budget = excluded.budget, symbol = excluded.symbol,
        sessionlength = excluded.sessionlength, lastupdated = excluded.lastupdated`,
  };
}

function saveOrders(desk: Desk): Deed | undefined {
  const sessionid = desk.ledger.pick(oldSession.prefix, desk.random());
  if (sessionid === undefined) return undefined;
  const writes = chunkOf(desk, oldOrder, 3);
  const rows = writes.map(({ id, version }) => ({
    id,
    sessionid,
    symbol: 'BTC/USD',
    timestamp: Date.now(),
    lastupdated: version,
    ...oldOrder.columns(version),
  }));
  return {
    writes,
    run: () => desk.sql`insert into orders ${desk.sql(rows)}
      on conflict (id) do update set status = excluded.status, side = excluded.side, price = excluded.price,
        lastupdated = excluded.lastupdated`,
  };
}

function saveFills(desk: Desk): Deed | undefined {
  const orderid = desk.ledger.pick(oldOrder.prefix, desk.random());
  if (orderid === undefined) return undefined;
  const writes = chunkOf(desk, oldFill, 0);
  const rows = writes.map(({ id, version }) => ({
    id,
    orderid,
    timestamp: Date.now(),
    lastupdated: version,
    ...oldFill.columns(version),
  }));
  return { writes, run: () => desk.sql`insert into fills ${desk.sql(rows)} on conflict (id) do nothing` };
}

function touchSession(desk: Desk): Deed | undefined {
  const id = desk.ledger.pick(touchedSession.prefix, desk.random());
  if (id === undefined) return undefined;
  const version = desk.next();
  const { status = '', budget = 0 } = touchedSession.columns(version);
  return {
    writes: [change(touchedSession, id, version)],
    run: async () => {
      const { count } = await desk.sql`update sessions
        set status = ${status}, budget = ${budget}, sessionlength = ${version} where id = ${id}`;
      if (count !== 1) throw new Error(`${id} is not there to be changed`);
    },
  };
}

function readSession(desk: Desk): Deed {
  const id = desk.ledger.pick(oldSession.prefix, desk.random()) ?? 'nobody';
  return { run: () => selectAll(desk.sql, id) };
}

const selectAll = (sql: Sql, id: string): PendingQuery<Row[]> => sql`select * from sessions where id = ${id}`;
