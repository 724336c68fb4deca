import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { findAsk } from '../../src/cli/ask.ts';

const terminal = (isTTY = true) => Object.assign(new PassThrough(), { isTTY: isTTY as true });

test('what is typed comes without the spaces around it, and the question is shown', async () => {
  const [input, output] = [terminal(), terminal()];
  const answer = findAsk(input, output, new AbortController().signal)?.('Which? ');
  input.write('  trading \n');
  expect(await answer).toBe('trading');
  expect(String(output.read())).toContain('Which? ');
});

test('a terminal that is closed, and Ctrl-C, answer nothing', async () => {
  const input = terminal();
  const closed = findAsk(input, terminal(), new AbortController().signal)?.('?');
  input.end();
  expect(await closed).toBe('');

  const interrupt = new AbortController();
  const stopped = findAsk(terminal(), terminal(), interrupt.signal)?.('?');
  interrupt.abort();
  expect(await stopped).toBe('');
});

test('nothing is asked where what is typed comes from a file, or nobody sees the question', () => {
  const { signal } = new AbortController();
  expect(findAsk(terminal(false), terminal(), signal)).toBeUndefined();
  expect(findAsk(terminal(), terminal(false), signal)).toBeUndefined();
});
