import { setTimeout as sleep } from 'node:timers/promises';
import { type ConnectedSession, endConnected, type IsOurs } from '../../connection/connected.ts';
import { openConnection } from '../../connection/open.ts';

/** Between two looks: so long at most a session that has slipped in waits for a lock before it is ended. */
const everyMs = 100;

/** Ends whoever connects, on a session of its own, until it is disposed of. */
export interface Watch extends AsyncDisposable {
  /** Process id of its session. */
  readonly pid: number;
  /** Everybody that it has ended. */
  readonly ended: readonly ConnectedSession[];
  /** @throws what has ended the watch itself: then nobody is kept out */
  check(): void;
}

export async function startWatch(url: string, isOurs: IsOurs): Promise<Watch> {
  const connection = await openConnection(url);
  const ended: ConnectedSession[] = [];
  let isStopped = false;
  let fault: { readonly error: unknown } | undefined;
  const running = (async () => {
    while (!isStopped) {
      ended.push(...(await endConnected(connection, isOurs)));
      await sleep(everyMs);
    }
  })().catch((error: unknown) => {
    fault = { error };
  });
  return {
    pid: connection.pid,
    ended,
    check: () => {
      if (fault !== undefined) throw fault.error;
    },
    [Symbol.asyncDispose]: async () => {
      isStopped = true;
      await running;
      await connection.close();
    },
  };
}
