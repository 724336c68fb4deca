import { readFile, writeFile } from 'node:fs/promises';
import type { ScalePoint, Work } from './point.ts';

export interface MeasuredScale {
  /** The day, ISO. */
  readonly on: string;
  readonly command: string;
  readonly machine: string;
  readonly points: readonly ScalePoint[];
}

const page = new URL('../../docs/scale.md', import.meta.url);
const [begin, end] = ['<!-- measured: begin -->', '<!-- measured: end -->'];

/** Puts the figures into docs/scale.md, between its two marks: what surrounds them is written by hand. */
export async function writePage(measured: MeasuredScale): Promise<void> {
  const text = await readFile(page, 'utf8');
  const [before, after] = [text.indexOf(begin), text.indexOf(end)];
  if (before < 0 || after < before) throw new Error('docs/scale.md has lost the marks of what is measured');
  await writeFile(
    page,
    `${text.slice(0, before + begin.length)}\n\n${formatMeasured(measured)}\n\n${text.slice(after)}`,
  );
}

function formatMeasured({ on, command, machine, points }: MeasuredScale): string {
  const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
    [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
  const work = (name: string, of: (point: ScalePoint) => Work): string[][] =>
    points.map((point) => {
      const { tookMs, longestMs, idleLongestMs, walBytes, grownBytes } = of(point);
      return [
        name,
        count(point.rows),
        `${(tookMs / 1_000).toFixed(1)} s`,
        `${longestMs.toFixed(0)} ms (${idleLongestMs.toFixed(0)} ms)`,
        megabytes(walBytes),
        megabytes(grownBytes),
      ];
    });
  return [
    `Measured on ${on} by \`${command}\`, PostgreSQL 18 on ${machine}, which clients and server share.`,
    table(
      [
        'work',
        'sessions, and as many fills',
        'time',
        'longest wait (without the work)',
        'WAL',
        'disk grown by',
      ],
      [
        ...work('migrate', ({ migrate }) => migrate),
        ...work('rollback 002 and 001', ({ rollback }) => rollback),
      ],
    ),
    table(
      [
        'sessions, and as many fills',
        'settlement discovery',
        'pair containment',
        'insertFills',
        'saveOrders',
      ],
      points.map((point) => [
        count(point.rows),
        `${point.settlementDiscoveryMs.toFixed(2)} ms a page of 100`,
        `${point.pairContainmentMs.toFixed(2)} ms a page of 100`,
        `${point.insertFillsUsPerRow.toFixed(0)} µs a row`,
        `${point.saveOrdersUsPerRow.toFixed(0)} µs a row`,
      ]),
    ),
    '![the curves](scale/curves.svg)',
  ].join('\n\n');
}

const count = (value: number): string => value.toLocaleString('en');
const megabytes = (bytes: number): string => `${Math.round(bytes / 2 ** 20).toLocaleString('en')} MB`;
