import postgres, { type Sql } from 'postgres';
import { migrate } from '../test/support/migrations.ts';
import { startServer } from '../test/support/server.ts';

/** One line of the table. */
export interface Measurement {
  readonly what: string;
  readonly measured: string;
  readonly goal: string;
  /** What was measured beside it, in the same run. */
  readonly against: string;
  /** Undefined where nothing is promised. */
  readonly ok: boolean | undefined;
}

/** A file of this folder: what it is called by, and what it does. */
export interface Benchmark {
  readonly name: string;
  /** It takes too long to run with the others. */
  readonly onlyByName?: true;
  measure(): Promise<Measurement[]>;
}

/** Runs the ways in turn, so that whatever else the machine does hits them alike; gives the median of each, in ms. */
export async function medians<Name extends string>(
  rounds: number,
  ways: Readonly<Record<Name, () => Promise<unknown>>>,
): Promise<Record<Name, number>> {
  const names = Object.keys(ways) as Name[];
  const times = new Map(names.map((name): [Name, number[]] => [name, []]));
  // A fifth goes to warming up: statements are prepared and planned, code is compiled, pages are cached.
  for (let round = -Math.ceil(rounds / 5); round < rounds; round++) {
    for (const name of names) {
      const start = performance.now();
      await ways[name]();
      if (round >= 0) times.get(name)?.push(performance.now() - start);
    }
  }
  return Object.fromEntries(names.map((name) => [name, median(times.get(name) ?? [])])) as Record<
    Name,
    number
  >;
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

export const ms = (value: number): string => `${value.toFixed(value < 10 ? 2 : 1)} ms`;
export const times = (value: number): string => `${value.toFixed(2)} ×`;

/** A migrated database on a server of its own, on PostgreSQL 18, gone afterwards. */
export async function withDatabases<T>(
  names: readonly string[],
  work: (...clients: Sql[]) => Promise<T>,
): Promise<T> {
  const server = await startServer(18, { shared_buffers: '1GB', maintenance_work_mem: '512MB' });
  const clients: Sql[] = [];
  try {
    const admin = postgres(server.url('postgres'), { max: 1 });
    for (const name of names) {
      await admin`create database ${admin(name)}`;
      await migrate(server.url(name));
      clients.push(postgres(server.url(name), { max: 1, onnotice: () => {} }));
    }
    await admin.end();
    return await work(...clients);
  } finally {
    await Promise.all(clients.map((client) => client.end()));
    await server.destroy();
  }
}
