import { setTimeout as sleep } from 'node:timers/promises';
import { withSession } from '../ground/ground.ts';
import { always, type Fault, type Scene } from './fault.ts';

/** Services come back in that time after the server does; what they wait meanwhile is not ours. */
const comeBackMs = 1_000;

/** What happens on the server's side, and on the way to it. */
export const serverFaults: readonly Fault[] = [
  {
    name: 'server killed',
    does: 'SIGKILL to the server, which is started again',
    weight: 2,
    when: 'within',
    holdMs: [200, 1_500],
    fits: always,
    mayFail: always,
    killsServer: true,
    begin: async ({ ground, excuse }) => {
      const excused = excuse();
      await ground.server.kill();
      return async () => {
        await ground.server.start();
        await sleep(comeBackMs);
        excused();
      };
    },
  },
  {
    name: 'backends terminated',
    does: 'pg_terminate_backend of every session of the command',
    weight: 2,
    when: 'within',
    holdMs: [0, 300],
    fits: always,
    mayFail: always,
    begin: async (scene) => {
      await signalSessions(scene, 'pg_terminate_backend');
      return () => signalSessions(scene, 'pg_terminate_backend');
    },
  },
  {
    name: 'statements cancelled',
    does: 'pg_cancel_backend of every session of the command, twice',
    weight: 2,
    when: 'within',
    holdMs: [50, 400],
    fits: always,
    mayFail: always,
    begin: async (scene) => {
      await signalSessions(scene, 'pg_cancel_backend');
      return () => signalSessions(scene, 'pg_cancel_backend');
    },
  },
  {
    name: 'line cut half open',
    does: 'nothing comes through to or from the command, and nobody is told, until the network notices',
    weight: 2,
    when: 'within',
    holdMs: [800, 2_000],
    fits: always,
    mayFail: always,
    keepsFromSteppingBack: true,
    begin: async ({ line }) => {
      line.freeze();
      return async () => line.cut();
    },
  },
];

async function signalSessions(
  { ground, line }: Scene,
  signal: 'pg_terminate_backend' | 'pg_cancel_backend',
): Promise<void> {
  await withSession(ground.server.url('postgres'), (sql) =>
    sql.unsafe(`select ${signal}(pid) from pg_stat_activity where client_port = any($1)`, [
      line.clientPorts(),
    ]),
  );
}
