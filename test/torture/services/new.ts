import {
  insertFills,
  insertSession,
  listSessionsByPair,
  saveOrders,
  setSessionPairs,
} from '../../../src/queries/index.ts';
import { add, allPairs, change, newFill, newOrder, newSession, pairsKind } from './kinds.ts';
import type { Deed, Desk, Service } from './service.ts';

/** Services of the new kind, on the typed queries. Where the schema is not there, they are told so, and try again. */
export const newServices: readonly Service[] = [
  { name: 'new sessions', pauseMs: 120, deed: openSession },
  { name: 'new pairs', pauseMs: 150, deed: addPair },
  { name: 'new orders', pauseMs: 90, deed: saveNewOrders },
  { name: 'new fills', pauseMs: 75, deed: saveNewFills },
  { name: 'new reader', pauseMs: 150, deed: listOfPair },
];

function openSession(desk: Desk): Deed {
  const write = add(newSession, desk.next());
  const pairs = 2;
  return {
    writes: [write, { kind: pairsKind, id: write.id, version: pairs }],
    run: () =>
      insertSession(desk.db, {
        id: write.id,
        pairs: allPairs.slice(0, pairs),
        startedAt: Date.now(),
        settleSession: true,
        sessionLength: write.version,
        ...newSession.columns(write.version),
      }),
  };
}

/** Appended, so that no order that is being inserted gets another place. */
function addPair(desk: Desk): Deed | undefined {
  const id = desk.ledger.pick(newSession.prefix, desk.random());
  const pairs = id === undefined ? undefined : desk.ledger.version(pairsKind, id);
  if (id === undefined || pairs === undefined || pairs >= allPairs.length) return undefined;
  return {
    writes: [{ kind: pairsKind, id, version: pairs + 1 }],
    run: () => setSessionPairs(desk.db, { sessionId: id, pairs: allPairs.slice(0, pairs + 1) }),
  };
}

function saveNewOrders(desk: Desk): Deed | undefined {
  const sessionId = desk.ledger.pick(newSession.prefix, desk.random());
  if (sessionId === undefined) return undefined;
  const known = desk.ledger.pick(newOrder.prefix, desk.random());
  const fresh = add(newOrder, desk.next());
  const writes = known === undefined ? [fresh] : [fresh, change(newOrder, known, desk.next())];
  return {
    writes,
    run: async () => {
      const saved = await saveOrders(
        desk.db,
        writes.map(({ id, version }) => ({
          id,
          // Of an order that is there only what changes is given.
          ...(id === known ? {} : { sessionId, symbol: allPairs[version % 2 === 0 ? 0 : 1] }),
          lastUpdated: version,
          ...newOrder.columns(version),
        })),
      );
      const odd = saved.find(({ outcome }) => outcome === 'stale' || outcome === 'unchanged');
      if (odd !== undefined) throw new Error(`saveOrders has called ${odd.id} ${odd.outcome}`);
    },
  };
}

function saveNewFills(desk: Desk): Deed | undefined {
  const sessionId = desk.ledger.pick(newSession.prefix, desk.random());
  if (sessionId === undefined) return undefined;
  const writes = [1, 2, 3].map(() => add(newFill, desk.next()));
  return {
    writes,
    run: async () => {
      const results = await insertFills(
        desk.db,
        writes.map(({ id, version }) => {
          const { tradeid = 0, ...columns } = newFill.columns(version);
          return {
            id,
            sessionId,
            timestamp: Date.now(),
            lastUpdated: version,
            tradeId: String(tradeid),
            ...columns,
          };
        }),
      );
      const odd = results.find(({ outcome }) => outcome !== 'inserted');
      if (odd !== undefined) throw new Error(`insertFills has called ${odd.id} ${odd.outcome}`);
    },
  };
}

function listOfPair(desk: Desk): Deed {
  return { run: () => listSessionsByPair(desk.db, { pair: 'BTC/USD', limit: 20 }) };
}
