import { colour, hasColours, type Stream } from './tones.ts';
import { wrapText } from './wrap.ts';

/** Says what is going on, on standard error: one moving line on a terminal, plain lines elsewhere. */
export interface Progress {
  /** Something that happened: a line that stays. */
  line(text: string): void;
  /** Something that is going on: replaces the one before it; elsewhere a plain line, `plainIntervalMs` apart at least. */
  update(text: string): void;
  /** Takes the moving line away. */
  clear(): void;
  /** How much of the whole is done, 0 to 1, as far as anybody can tell; for who stops it. */
  share: number | undefined;
}

/** For a terminal that does not tell its width. */
export const defaultColumns = 80;

/** In a log file, a build of an hour should take some hundred lines, and not some hundred thousand. */
const plainIntervalMs = 5_000;

/** What of `process.stderr` is needed. */
export interface ProgressStream extends Stream {
  write(text: string): boolean;
}

/** A log is read hours later, and beside others: its lines begin with the time of day, UTC. */
const clock = (ms: number): string => `${new Date(ms).toISOString().slice(11, 19)}Z`;

export function createProgress(stream: ProgressStream, now: () => number = Date.now): Progress {
  const isTerminal = stream.isTTY === true;
  const hasColour = hasColours(stream);
  let lastPlainAt = now();
  const clear = (): void => {
    if (isTerminal) stream.write('\r\u001b[2K');
  };
  const columns = (): number => stream.columns || defaultColumns;
  const show = (text: string): string => (hasColour ? colour(text) : text);
  const plain = (text: string): string =>
    text
      .split('\n')
      .map((line) => `${clock(now())} ${line}`)
      .join('\n');
  return {
    clear,
    share: undefined,
    line: (text) => {
      clear();
      stream.write(`${isTerminal ? show(wrapText(text, columns())) : plain(text)}\n`);
    },
    update: (text) => {
      if (isTerminal) {
        stream.write(`\r\u001b[2K${show(text.slice(0, columns() - 1))}`);
      } else if (now() - lastPlainAt >= plainIntervalMs) {
        lastPlainAt = now();
        stream.write(`${plain(text)}\n`);
      }
    },
  };
}

/** A result as it is printed: wrapped and coloured on a terminal, as it is elsewhere. */
export function forStream(text: string, stream: Stream): string {
  const wrapped = stream.isTTY === true ? wrapText(text, stream.columns || defaultColumns) : text;
  return hasColours(stream) ? colour(wrapped) : wrapped;
}
