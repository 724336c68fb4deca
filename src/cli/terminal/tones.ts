import { styleText } from 'node:util';

/** What of a stream is needed; one that is no terminal has neither `isTTY` nor `columns`. */
export interface Stream {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

/** As no-color.org and force-color.org have it, and never into a pipe. */
export function hasColours({ isTTY }: Stream, env: NodeJS.ProcessEnv = process.env): boolean {
  if (env['NO_COLOR']) return false;
  if (env['FORCE_COLOR'] && env['FORCE_COLOR'] !== '0') return true;
  return isTTY === true && env['TERM'] !== 'dumb';
}

type Tone = Parameters<typeof styleText>[0];

/** What the first word of a line says, in the colour that it means; what follows stays as it is. */
const tones: readonly (readonly [words: RegExp, tone: Tone])[] = [
  [/^ *(?:error|fault|blocker|refused|not verified|contradiction|half-done)\b/, ['red', 'bold']],
  [/^ *(?:warning|note|rests|stepped back|waiting for|still waiting|may run, with)\b/, 'yellow'],
  [/^ *(?:may not run)\b/, ['red', 'bold']],
  [/^ *(?:verified|ok|done|may run|goes on)\b/, 'green'],
  [/^ *(?:next|what to do):/, 'bold'],
  [/^\d{4}_\w+/, 'bold'],
];

/** Colours a line. */
export function colour(line: string): string {
  for (const [words, tone] of tones) {
    const found = words.exec(line)?.[0];
    // The stream was looked at already.
    if (found !== undefined) {
      return styleText(tone, found, { validateStream: false }) + line.slice(found.length);
    }
  }
  return line;
}
