import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'vitest';
import { createDatabase } from './database.ts';
import type { ServerVersion } from './server.ts';
import { insertParents, loadTape, type TapeFill } from './tape.ts';

const run = promisify(execFile);
const tsx = fileURLToPath(new URL('../../node_modules/.bin/tsx', import.meta.url));
const script = fileURLToPath(new URL('insert-tape.ts', import.meta.url));

const identityOf = (fill: TapeFill) =>
  [
    ...[fill.sessionId, fill.orderId ?? '', fill.symbol, fill.side, fill.timestamp],
    ...[Math.fround(Number(fill.price)), Math.fround(Number(fill.size)), fill.tradeId ?? ''],
  ].join('|');

/** Several processes insert the redelivered tape at once, round after round; checks the table after each. */
export async function redeliver(version: ServerVersion, processes: number, rounds: number): Promise<void> {
  await using database = await createDatabase(version, 'migrated');
  const tape = await loadTape('redelivered-fills');
  await insertParents(database.sql, tape);
  const expected = new Set(tape.map(identityOf));
  expect(expected.size).toBe(17_277);

  let before: string[] = [];
  for (let round = 0; round < rounds; round++) {
    const children = await Promise.all(
      Array.from({ length: processes }, (_, i) =>
        run(tsx, [script, database.url, 'redelivered-fills', String(round * processes + i)], {
          maxBuffer: 1 << 24,
        }),
      ),
    );
    const reports: { outcomes: Record<string, number>; ids: string[] }[] = children.map(({ stdout }) =>
      JSON.parse(stdout),
    );
    for (const { outcomes } of reports) {
      expect(outcomes['conflict']).toBe(0);
      expect((outcomes['inserted'] ?? 0) + (outcomes['duplicate'] ?? 0)).toBe(tape.length);
    }
    const rows = await database.sql<{ id: string }[]>`select id from fills order by id`;
    const ids = rows.map(({ id }) => id);
    // Each row was reported as inserted once, by one process, in the first round.
    const inserted = reports.flatMap((report) => report.ids).sort();
    expect(inserted).toEqual(round === 0 ? [...ids].sort() : []);
    if (round > 0) expect(ids).toEqual(before);
    before = ids;
  }
  const byId = new Map(tape.map((fill) => [fill.id, fill]));
  const stored = before.map((id) => identityOf(byId.get(id) as TapeFill));
  expect(stored.length).toBe(expected.size);
  expect(new Set(stored)).toEqual(expected);
}
