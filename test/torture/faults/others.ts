import postgres from 'postgres';
import { startStandby } from '../../support/server.ts';
import { Broken } from '../broken.ts';
import { live } from '../work/levels.ts';
import { always, type Fault, isMigration, never, nothingToRelease } from './fault.ts';

/** The disk, others of the same, a standby, and the operator. */
export const otherFaults: readonly Fault[] = [
  {
    name: 'disk full',
    does: 'the disk of the database has no room left',
    weight: 2,
    when: 'either',
    holdMs: [500, 2_000],
    fits: always,
    mayFail: always,
    isMissing: ({ disk }) =>
      disk === undefined ? 'no small disk can be mounted here (it takes root)' : undefined,
    begin: async ({ ground: { disk }, random }) => {
      await disk?.fill(Math.floor(random() * 3 * 1024 * 1024));
      return async () => disk?.empty();
    },
  },
  {
    name: 'many at once',
    does: 'the same command is started many times at the same moment',
    weight: 1,
    when: 'within',
    holdMs: [0, 0],
    fits: ({ crowd }) => crowd > 1,
    mayFail: always,
    onlyRefuses: true,
    begin: async ({ startCrowd }) => {
      startCrowd();
      return nothingToRelease;
    },
  },
  {
    name: 'a standby with a long query',
    does: 'a standby can’t replay what a long query there still reads',
    weight: 1,
    when: 'before',
    holdMs: [800, 2_000],
    fits: isMigration,
    mayFail: never,
    begin: async ({ ground, database, excuse }) => {
      // Its copy of the data is made by this machine's disks and processors.
      const excused = excuse();
      const standby = await startStandby(ground.server, { hot_standby: 'on' });
      const sql = postgres(standby.url(database), { max: 1, onnotice: () => {} });
      await sql.unsafe('begin isolation level repeatable read; select count(*) from sessions');
      excused();
      return async () => {
        await sql.end({ timeout: 1 }).catch(() => {});
        await standby.destroy();
      };
    },
  },
  {
    name: 'a pause',
    does: 'an operator pauses all runs, and nobody resumes until later',
    weight: 1,
    when: 'before',
    // A command that does not obey has ended by then.
    holdMs: [2_000, 3_000],
    // The row that pauses is made by 0000.
    fits: (command, level) => isMigration(command) && level !== live,
    mayFail: never,
    begin: async (scene) => {
      await scene.tell('pause');
      return async () => {
        const isDone = scene.isOver();
        await scene.tell('resume');
        if (isDone) throw new Broken('the command has ended while all runs were paused');
      };
    },
  },
];
