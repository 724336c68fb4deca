import { setTimeout as sleep } from 'node:timers/promises';
import postgres from 'postgres';
import { withSession } from '../ground/ground.ts';
import { describeSurprise, sqlStateOf } from '../services/errors.ts';
import type { Command } from '../work/command.ts';
import { always, type Fault, type Release, type Scene } from './fault.ts';

// They change a column that nothing else writes and that the checksum leaves out, in every tenth session or so.
const work = `
  update sessions set lastmigratedat = coalesce(lastmigratedat, 0) + 1 where id like 'g1%';
  update orders set lastfilltimestamp = 1 where id like 'g2%'`;
const prepared = 'of_the_torture';

/** A restore refuses where tables are held, and dedupe leaves rows that are. */
const mayBeRefused = ({ name }: Command): boolean => name === 'restore' || name === 'dedupe';

const common = {
  weight: 1,
  when: 'either',
  holdMs: [800, 2_000],
  fits: always,
  mayFail: mayBeRefused,
  onlyRefuses: true,
} as const;

/** Transactions of others that are in the way. */
export const transactionFaults: readonly Fault[] = [
  {
    ...common,
    name: 'a long transaction',
    does: 'another transaction has changed rows of sessions and orders, and works on',
    stopsServiceStarts: true,
    begin: (scene) => ifOpen(scene, hold(scene, work, true)),
  },
  {
    ...common,
    name: 'an idle transaction',
    does: 'another transaction has read the three tables, and does nothing any more',
    begin: (scene) =>
      ifOpen(
        scene,
        hold(
          scene,
          'set transaction isolation level repeatable read; select count(*) from sessions, orders, fills where false',
          false,
        ),
      ),
  },
  {
    ...common,
    name: 'a prepared transaction',
    does: 'another transaction has changed rows of sessions and orders, and is prepared',
    stopsServiceStarts: true,
    begin: async (scene) => {
      const url = scene.ground.server.url(scene.database);
      const hasBegun = withSession(url, async (sql) => {
        await sql.unsafe(`begin; ${work}; prepare transaction '${prepared}'`);
      }).catch(async (error: unknown) => {
        // Its session may have been ended right after it.
        const [there] = await withSession(
          scene.ground.server.url('postgres'),
          (sql) => sql`select from pg_prepared_xacts where gid = ${prepared}`,
        );
        if (there === undefined) throw error;
      });
      const end = (): Promise<void> =>
        withSession(url, async (sql) => void (await sql.unsafe(`commit prepared '${prepared}'`)));
      return ifOpen(
        scene,
        hasBegun.then(() => end),
      );
    },
  },
];

/** A restore lets nobody in while it works, nor a transaction of others; and whom it meets it ends. */
async function ifOpen({ endsOthers }: Scene, begun: Promise<Release>): Promise<Release | undefined> {
  return begun.catch((error: unknown) => {
    const isEnded = endsOthers && describeSurprise(error) === undefined;
    if (sqlStateOf(error) === '55000' || isEnded) return undefined;
    throw error;
  });
}

/** A restore with --disconnect may end it: then there is nothing to commit. */
async function hold({ ground, database }: Scene, statements: string, isBusy: boolean): Promise<Release> {
  const sql = postgres(ground.server.url(database), { max: 1, onnotice: () => {} });
  let isOver = false;
  await sql.unsafe(`begin; ${statements}`);
  const busy = (async () => {
    while (isBusy && !isOver) {
      await sql.unsafe('select count(*) from orders').catch(() => {});
      await sleep(50);
    }
  })();
  return async () => {
    isOver = true;
    await busy;
    await sql.unsafe('commit').catch(() => {});
    await sql.end({ timeout: 1 });
  };
}
