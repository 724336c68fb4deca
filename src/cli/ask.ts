import type { ReadStream, WriteStream } from 'node:tty';
import type { Ask } from './command.ts';

/** How to ask who sits at the terminal; undefined where what is typed comes from elsewhere, or nobody would see the question. */
export function findAsk(
  input: Pick<ReadStream, 'isTTY'> & NodeJS.ReadableStream,
  output: Pick<WriteStream, 'isTTY'> & NodeJS.WritableStream,
  signal: AbortSignal,
): Ask | undefined {
  if (input.isTTY !== true || output.isTTY !== true) return undefined;
  return async (question) => {
    const { createInterface } = await import('node:readline');
    // The terminal stays as it is, so that Ctrl-C is a signal and no letter.
    const lines = createInterface({ input, output, terminal: false });
    try {
      return await new Promise<string>((resolve) => {
        if (signal.aborted) resolve('');
        signal.addEventListener('abort', () => resolve(''), { once: true });
        lines.once('close', () => resolve(''));
        lines.question(question, (answer) => resolve(answer.trim()));
      });
    } finally {
      lines.close();
    }
  };
}
