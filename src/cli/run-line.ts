import { fitText } from './terminal/wrap.ts';

/** What a run is at. */
export interface Doing {
  readonly words: string;
  /** The same, where there is little room. */
  readonly inShort?: string;
  /** What may be left out. */
  readonly detail?: string;
}

interface RunLine extends Doing {
  /** Of the whole, 0 to 1; undefined before it is known what there is to do. */
  readonly share: number | undefined;
  /** What trading felt so far; it goes last. */
  readonly longest: string;
}

const barLength = 20;
const shortBarLength = 10;
/** A shorter piece of a statement says nothing. */
const leastDetail = 20;

/**
 * The line of a run that moves: a bar, what it is at, and the longest wait of a trade. Where not all of it fits, the detail
 * goes first, then half of the bar, then the longer words.
 */
export function writeRunLine(
  { share, words, inShort = words, detail, longest }: RunLine,
  columns: number,
): string {
  const bar = drawBar(share, barLength);
  const shortBar = drawBar(share, shortBarLength);
  const whole = `${bar}${words}${longest}`;
  const room = columns - whole.length - ': '.length;
  if (detail !== undefined && room >= Math.min(leastDetail, detail.length))
    return `${bar}${words}: ${fitText(detail, room)}${longest}`;
  const lines = [
    whole,
    `${shortBar}${words}${longest}`,
    `${shortBar}${inShort}${longest}`,
    `${shortBar}${inShort}`,
  ];
  return lines.find((line) => line.length <= columns) ?? inShort;
}

function drawBar(share: number | undefined, length: number): string {
  if (share === undefined) return '  ';
  const full = Math.round(share * length);
  return `[${'#'.repeat(full)}${'.'.repeat(length - full)}] ${Math.floor(share * 100)} %  `;
}
