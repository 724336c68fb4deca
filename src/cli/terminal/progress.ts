import { formatClock } from '../../connection/units.ts';
import { colour, hasColours, type Stream } from './tones.ts';
import { fitText, wrapLine } from './wrap.ts';

/** Says what is going on, on standard error: one moving line on a terminal, plain lines elsewhere. */
export interface Progress {
  /** Something that happened: a line that stays. */
  line(text: string): void;
  /**
   * Something that is going on: replaces the one before it; elsewhere a plain line, `plainIntervalMs` apart at least.
   * What can be said in more words or fewer is a function of the columns that there are.
   */
  update(text: string | ((columns: number) => string)): void;
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
const clock = (ms: number): string => `${formatClock(ms)}Z`;

export function createProgress(stream: ProgressStream, now: () => number = Date.now): Progress {
  const isTerminal = stream.isTTY === true;
  let lastPlainAt = now();
  const clear = (): void => {
    if (isTerminal) stream.write('\r\u001b[2K');
  };
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
      stream.write(`${isTerminal ? forStream(text, stream) : plain(text)}\n`);
    },
    update: (text) => {
      const write = (columns: number): string => (typeof text === 'string' ? text : text(columns));
      if (isTerminal) {
        // A terminal that is full to its last column breaks the line.
        const columns = (stream.columns || defaultColumns) - 1;
        stream.write(`\r\u001b[2K${forStream(fitText(write(columns), columns), stream)}`);
      } else if (now() - lastPlainAt >= plainIntervalMs) {
        lastPlainAt = now();
        stream.write(`${plain(write(Number.POSITIVE_INFINITY))}\n`);
      }
    },
  };
}

/**
 * A text as it is printed: broken between words on a terminal, as it is elsewhere. It is coloured line by line as it was
 * before: what goes on below may begin with any word.
 */
export function forStream(text: string, stream: Stream): string {
  const columns = stream.isTTY === true ? stream.columns || defaultColumns : Number.POSITIVE_INFINITY;
  const hasColour = hasColours(stream);
  return text
    .split('\n')
    .flatMap((line) => {
      const [first = '', ...rest] = wrapLine(line, columns);
      return [hasColour ? colour(first) : first, ...rest];
    })
    .join('\n');
}
