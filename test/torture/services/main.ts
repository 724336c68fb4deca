/**
 * The services at work, in a process of their own: what their clients wait is not to be the JavaScript of whoever throws
 * the faults. Asked and answered by messages, see messages.ts.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { createRandom } from '../../../demo/random.ts';
import { audit, auditCopy } from './audit.ts';
import { WaitRecorder } from './clock.ts';
import { describeMissing } from './errors.ts';
import { touchedSession } from './kinds.ts';
import { Ledger } from './ledger.ts';
import type { Answered, Answers, Asked, Audit, Feelings, Question } from './messages.ts';
import { newServices } from './new.ts';
import { oldServices } from './old.ts';
import { closeIdle, connect, type Office, runService } from './service.ts';
import { runSettlement } from './settle.ts';
import { startService } from './start.ts';

const waits = new WaitRecorder();
const surprises: string[] = [];
const errors = new Map<string, number>();
const at = new Map<string, string>();
const idle: Office['idle'] = new Map();
const bornMs = Date.now();
/** No statement of a service takes so long where nothing holds it up. */
const hangsAfterMs = 20_000;
let counter = 0;
let url = '';
let ledger = new Ledger();
let noted = new Ledger();
let shift: { end: boolean; readonly done: Promise<unknown> } | undefined;

async function answer(question: Question): Promise<Answers[keyof Answers]> {
  switch (question.ask) {
    case 'open': {
      await closeIdle(idle);
      url = question.url;
      ledger = new Ledger();
      const ids = Array.from({ length: question.touched }, (_, i) => `${touchedSession.prefix}${i + 1}`);
      ledger.acknowledge(ids.map((id) => ({ kind: touchedSession.prefix, id, version: 0 })));
      return undefined;
    }
    case 'work':
      shift ??= beginShift();
      return undefined;
    case 'rest':
      if (shift !== undefined) shift.end = true;
      await Promise.race([shift?.done, sleep(hangsAfterMs, undefined, { ref: false })]);
      if (at.size > 0) throw new Error(`these do not come to rest: ${JSON.stringify([...at])}`);
      shift = undefined;
      return undefined;
    case 'note':
      noted = ledger.copy();
      return undefined;
    case 'audit':
      return await auditNow(question);
    case 'audit copy':
      return await auditCopyNow(question.url);
    case 'start':
      return await startService(url);
    case 'feelings':
      return takeFeelings();
  }
}

function beginShift(): { end: boolean; readonly done: Promise<unknown> } {
  const begun = { end: false, done: Promise.resolve<unknown>(undefined) };
  const office: Office = {
    ledger,
    waits,
    surprises,
    errors,
    at,
    idle,
    next: () => ++counter,
    random: createRandom(bornMs + counter),
    isWorking: () => !begun.end,
  };
  const done = Promise.all([
    ...[...oldServices, ...newServices].map((service) => runService(url, office, service)),
    runSettlement(url, bornMs, office),
    takePulse(office),
  ]);
  return Object.assign(begun, { done });
}

/** What the machine itself takes: a statement that no lock can hold up. */
const takePulse = (office: Office): Promise<void> =>
  runService(
    url,
    { ...office, waits: { record: (wait) => waits.recordPulse(wait) } },
    { name: 'pulse', pauseMs: 20, deed: ({ sql }) => ({ run: () => sql`select 1` }) },
  );

async function auditNow({ url: of, against }: Question & { ask: 'audit' }): Promise<Audit> {
  const sql = connect(of, 'audit');
  try {
    const ledgers = { committed: [ledger], noted: [noted], either: [ledger, noted] }[against];
    const { truth, problems } = await audit(sql, ledgers);
    if (truth !== undefined) ledger = truth.copy();
    return { problems: problems.slice(0, 10) };
  } catch (error) {
    return { problems: [describeMissing(error)] };
  } finally {
    await sql.end({ timeout: 2 });
  }
}

async function auditCopyNow(of: string): Promise<Audit> {
  const sql = connect(of, 'audit');
  try {
    return { problems: (await auditCopy(sql, noted)).slice(0, 10) };
  } catch (error) {
    return { problems: [describeMissing(error)] };
  } finally {
    await sql.end({ timeout: 2 });
  }
}

function takeFeelings(): Feelings {
  const felt = { ...waits.take(), surprises: surprises.splice(0), errors: Object.fromEntries(errors) };
  errors.clear();
  return felt;
}

process.on('message', ({ number, question }: Asked) => {
  answer(question).then(
    (said) => send(said === undefined ? { number } : { number, answer: said }),
    (error: unknown) => send({ number, fault: error instanceof Error ? String(error.stack) : String(error) }),
  );
});
process.on('disconnect', () => process.exit());

const send = (answered: Answered): void => void process.send?.(answered);
