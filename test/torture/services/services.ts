import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Answered, Answers, Asked, Question } from './messages.ts';

/** The services, as whoever throws the faults sees them. */
export interface Services extends AsyncDisposable {
  /** @throws where there is no answer in time: a statement hangs, or the process has ended */
  ask<Q extends Question>(question: Q, patienceMs?: number): Promise<Answers[Q['ask']]>;
}

const defaultPatienceMs = 30_000;

export async function startServices(): Promise<Services> {
  const child = fork(fileURLToPath(new URL('main.ts', import.meta.url)));
  const open = new Map<number, (answered: Answered) => void>();
  let asked = 0;
  child.on('message', (answered: Answered) => open.get(answered.number)?.(answered));
  child.once('exit', (code) => {
    for (const settle of open.values()) settle({ number: 0, fault: `the services have ended with ${code}` });
  });
  return {
    ask: async <Q extends Question>(question: Q, patienceMs = defaultPatienceMs) => {
      const number = ++asked;
      const answered = await new Promise<Answered>((resolve) => {
        open.set(number, resolve);
        setTimeout(
          () =>
            resolve({
              number,
              fault: `the services have not answered "${question.ask}" in ${patienceMs} ms`,
            }),
          patienceMs,
        ).unref();
        child.send({ number, question } satisfies Asked);
      });
      open.delete(number);
      if (answered.fault !== undefined) throw new Error(answered.fault);
      // Each question has its own kind of answer.
      return answered.answer as Answers[Q['ask']];
    },
    [Symbol.asyncDispose]: () => end(child),
  };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}
