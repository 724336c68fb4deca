import { setTimeout as sleep } from 'node:timers/promises';

/** Asks again until the answer is yes. Fails after `patienceMs`, which is no expectation but a way out of a hang. */
export async function until(ask: () => Promise<boolean>, what: string, patienceMs = 30_000): Promise<void> {
  const startedAt = Date.now();
  while (!(await ask())) {
    if (Date.now() - startedAt > patienceMs) throw new Error(`waited in vain until ${what}`);
    await sleep(20);
  }
}
