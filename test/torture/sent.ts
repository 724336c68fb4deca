import { setTimeout as sleep } from 'node:timers/promises';
import type { TestLine } from '../support/endpoints.ts';

/**
 * Resolves when a statement that matches is on its way to the server; false when the command has ended before. Looked for on
 * the line itself: most statements are over before anybody who asks the server would see them.
 */
export async function seeSent(line: TestLine, statement: RegExp, isOver: () => boolean): Promise<boolean> {
  let isSeen = false;
  const seen = new Promise<void>((resolve) => {
    line.onSent((sent) => {
      if (isSeen || !listStatements(sent).some((sql) => statement.test(sql))) return;
      isSeen = true;
      resolve();
    });
  });
  while (!isSeen && !isOver()) await Promise.race([seen, sleep(lookEveryMs)]);
  return isSeen;
}

/** How soon it is noticed that a command has ended. */
const lookEveryMs = 20;

/** The statements in a piece of the protocol: a Query or a Parse is its letter, its length in four bytes, and text. */
export const listStatements = (sent: Buffer): string[] =>
  sent
    .toString('latin1')
    .split(/[QP]\0[\s\S]{3}/)
    .flatMap((message) => message.split('\0'))
    .map((text) => text.replace(/^(\s*--[^\n]*\n)+/, ''))
    .filter((text) => text !== '');
