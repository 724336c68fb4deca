import { formatCount, formatDuration, formatWait } from '../connection/units.ts';
import type { ProgressEvent } from '../migrate/run/progress.ts';
import { type Doing, writeRunLine } from './run-line.ts';

/**
 * How long statements take, against one another: nobody knows before, and a bar that jumps misleads more than one that is
 * a little wrong. On 300,000 sessions and as many fills the backfill took 34 s, the nine builds 5 s, all else under one.
 */
const weights: readonly (readonly [statement: RegExp, weight: number])[] = [
  [/^do \$\w*backfill\w*\$/i, 60],
  [/^create (?:unique )?index concurrently\b/i, 2],
  [/^/, 0.01],
];
const weightOf = (statement: string): number =>
  weights.find(([words]) => words.test(statement.trim()))?.[1] ?? 0;
const isBuild = (statement: string): boolean =>
  /^create (?:unique )?index concurrently\b/i.test(statement.trim());

interface Statement {
  readonly tag: string;
  readonly isBuild: boolean;
  readonly weight: number;
}

/** What a run is at, of the whole: kept from what it reports, for the line that moves, and for who stops it. */
export class RunView {
  #statements: readonly Statement[] = [];
  #at = 0;
  /** Of the statement that is running, 0 to 1. */
  #inner = 0;
  #share: number | undefined;
  #doing: Doing = { words: '' };
  #longestMs: number | undefined;
  #buildsBeganAtMs: number | undefined;
  readonly #now: () => number;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  record(event: ProgressEvent): void {
    switch (event.kind) {
      case 'planned':
        this.#statements = event.files.flatMap(({ tag, statements }) =>
          statements.map((text) => ({ tag, isBuild: isBuild(text), weight: weightOf(text) })),
        );
        return;
      case 'statement':
        this.#begin(event.tag, event.number, event.of, event.statement);
        break;
      case 'backfill': {
        const { pass, done, total, rows, remainingMs } = event;
        this.#inner = pass === 1 && total > 0 ? done / total : 1;
        const left = sayLeft(remainingMs);
        this.#doing = {
          words: `backfill, pass ${pass}: ${formatCount(done)} of ${formatCount(total)} ${rows}${left}`,
          inShort: `backfill, pass ${pass}${left}`,
        };
        break;
      }
      case 'index':
        this.#inner = innerOf(event.phase, event.share);
        this.#doing = { words: this.#builds(), detail: event.phase };
        break;
      case 'trade wait':
        this.#longestMs = event.longestSoFarMs;
        return;
      case 'measuring':
        this.#doing = {
          words: `measuring what trading feels without the work, ${formatDuration(event.forMs)}`,
        };
        return;
      case 'lock':
        this.#doing = { words: `another run holds the lock; waited ${formatDuration(event.waitedMs)}` };
        return;
      case 'waiting':
        this.#doing = { words: `still waiting, ${formatDuration(event.waitedMs)} so far` };
        return;
      default:
        return;
    }
    const total = this.#sum(this.#statements);
    if (total === 0) return;
    const done =
      this.#sum(this.#statements.slice(0, this.#at)) +
      (this.#statements[this.#at]?.weight ?? 0) * this.#inner;
    this.#share = Math.max(this.#share ?? 0, Math.min(1, done / total));
  }

  /** Of the whole run, 0 to 1; undefined before it is known what there is to do. */
  get share(): number | undefined {
    return this.#share;
  }

  /** The line that moves, in as many words as there are columns for. */
  readonly line = (columns: number = Number.POSITIVE_INFINITY): string => {
    const longest =
      this.#longestMs === undefined ? '' : `; longest trade wait ${formatWait(this.#longestMs)}`;
    return writeRunLine({ share: this.#share, ...this.#doing, longest }, columns);
  };

  #begin(tag: string, number: number, of: number, statement: string): void {
    const first = this.#statements.findIndex((one) => one.tag === tag);
    this.#at = first === -1 ? 0 : first + number - 1;
    this.#inner = 0;
    if (isBuild(statement)) this.#buildsBeganAtMs ??= this.#now();
    this.#doing = isBuild(statement)
      ? { words: this.#builds() }
      : { words: `statement ${number} of ${of}`, detail: statement.trim() };
  }

  /** `index 3 of 9, about 40 s left`: by how long those took that are built. */
  #builds(): string {
    const builds = this.#statements.filter((one) => one.isBuild);
    const number = this.#statements.slice(0, this.#at + 1).filter((one) => one.isBuild).length;
    if (builds.length === 0 || number === 0) return 'building an index';
    const built = number - 1 + this.#inner;
    const spentMs = this.#now() - (this.#buildsBeganAtMs ?? this.#now());
    const leftMs = built < 1 ? undefined : (spentMs / built) * (builds.length - built);
    return `index ${number} of ${builds.length}${sayLeft(leftMs)}`;
  }

  #sum(statements: readonly Statement[]): number {
    return statements.reduce((sum, { weight }) => sum + weight, 0);
  }
}

/** An estimate has no milliseconds. */
function sayLeft(leftMs: number | undefined): string {
  if (leftMs === undefined) return '';
  return leftMs < 1_000 ? ', less than 1 s left' : `, about ${formatDuration(leftMs)} left`;
}

/** CONCURRENTLY builds, then validates; each of the two has phases of its own, and waits between them. */
function innerOf(phase: string, share: number | undefined): number {
  const half = phase.startsWith('index validation') ? 0.5 : 0;
  return half + (share ?? 0) * 0.5;
}
