import type { Connection } from '../../connection/connection.ts';
import { quoteIdentifier as quote } from '../../connection/identifiers.ts';
import { liftTimeLimits } from '../../connection/session.ts';
import { readCatalogFile } from '../../migrate/catalog/catalog-file.ts';
import { ownProject } from '../../own/project.ts';
import { type IndexFacts, listIndexFacts } from './index-catalog.ts';

/**
 * What is the matter with an index, the worst first: it guards and serves nothing; a failed build left it behind;
 * another index does all it does; nobody has used it; a good part of it is air.
 */
export const indexFindingKinds = ['invalid', 'leftover', 'redundant', 'unused', 'bloated'] as const;
export type IndexFindingKind = (typeof indexFindingKinds)[number];

export interface IndexFinding {
  readonly kind: IndexFindingKind;
  /** In one sentence. */
  readonly message: string;
  /** What the operator may do; nothing is done for him. */
  readonly advice: string;
  /** For `redundant`: the indexes that do all it does. */
  readonly coveredBy?: readonly string[];
}

/** One index, with what is the matter with it. */
export interface IndexReport extends IndexFacts {
  readonly findings: readonly IndexFinding[];
}

/** What matters first: by the worst finding, then by size. */
export interface IndexOverview {
  readonly indexes: readonly IndexReport[];
  readonly totalBytes: number;
  /** What would be won if all that is redundant or unused went. */
  readonly dispensableBytes: number;
}

/** Names of builds that failed: REINDEX CONCURRENTLY's own, and what migration 0002 sets aside. */
const leftoverName = /_cc(new|old)\d*$|__(set_aside|broken)$/;

/** Below that, a rebuild wins little; and the estimate is rough. */
const bloatShare = 0.4;
const bloatBytes = 10 * 1024 * 1024;

/** A month has seen the month's end jobs; less proves little. */
const enoughDays = 30;
const dayMs = 86_400_000;

/** What an index is judged by beside itself. */
interface Surroundings {
  readonly all: readonly IndexFacts[];
  /** Names of those that the migrations make. */
  readonly own: ReadonlySet<string>;
  readonly nowMs: number;
  /** When a migration was last applied; no index of ours is older than the statistics make it look. */
  readonly migratedAtMs: number | undefined;
}

/**
 * Lists every index of `sessions`, `orders` and `fills` with its size, use, validity, bloat and what is the matter with
 * it, the worst first. Advice, never action.
 *
 * Reads catalogs and statistics only. Use is counted by each server for itself: an index that is unused here may
 * serve a replica.
 *
 * @throws OperationError `REFUSED` where none of the three tables is there
 * @example
 * await using connection = await openConnection('postgres://localhost/trading');
 * const { indexes } = await listIndexes(connection);
 * for (const { index, findings } of indexes) for (const { advice } of findings) console.log(index, advice);
 */
export async function listIndexes(connection: Connection): Promise<IndexOverview> {
  await using _limits = await liftTimeLimits(connection);
  const facts = await listIndexFacts(connection);
  const expected = (await readCatalogFile(ownProject.folder)).filter(({ kind }) => kind === 'index');
  const surroundings = {
    all: facts,
    own: new Set(expected.map(({ name }) => name)),
    nowMs: Date.now(),
    migratedAtMs: await readMigratedAt(connection),
  };
  const indexes = facts
    .map((index) => ({ ...index, findings: findFaults(index, surroundings) }))
    .sort((a, b) => rank(a) - rank(b) || b.sizeBytes - a.sizeBytes || (a.index < b.index ? -1 : 1));
  const sum = (list: readonly IndexFacts[]): number => list.reduce((total, one) => total + one.sizeBytes, 0);
  return {
    indexes,
    totalBytes: sum(indexes),
    dispensableBytes: sum(
      indexes.filter(({ findings }) =>
        findings.some(({ kind }) => kind === 'redundant' || kind === 'unused'),
      ),
    ),
  };
}

const rank = ({ findings: [worst] }: IndexReport): number =>
  worst === undefined ? indexFindingKinds.length : indexFindingKinds.indexOf(worst.kind);

async function readMigratedAt(connection: Connection): Promise<number | undefined> {
  const [readable] = await connection.query<{ yes: boolean }>(
    `select has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select') as yes
     from pg_namespace as n join pg_class as c on c.relnamespace = n.oid
     where n.nspname = 'multi_pair_db' and c.relname = 'migrations'`,
  );
  if (readable?.yes !== true) return undefined;
  const [row] = await connection.query<{ ms: number | null }>(
    'select (extract(epoch from max(applied_at)) * 1000)::float8 as ms from multi_pair_db.migrations',
  );
  return row?.ms ?? undefined;
}

function findFaults(index: IndexFacts, surroundings: Surroundings): IndexFinding[] {
  if (index.building) return [];
  if (leftoverName.test(index.index)) return [leftover(index)];
  if (!index.valid) return [invalid(index, surroundings)];
  return [redundant(index, surroundings), unused(index, surroundings), bloated(index)].filter(
    (finding): finding is IndexFinding => finding !== undefined,
  );
}

function invalid({ index }: IndexFacts, { own }: Surroundings): IndexFinding {
  return {
    kind: 'invalid',
    message:
      'INVALID: queries don’t use it, every write still pays for it, and a unique one refuses rows all the same',
    advice: own.has(index)
      ? `\`multi-pair-db migrate\` repairs the nine of migration 002; for any other: \`multi-pair-db maintain reindex ${index}\`.`
      : `\`multi-pair-db maintain reindex ${index}\` builds it again.`,
  };
}

function leftover({ index }: IndexFacts): IndexFinding {
  return {
    kind: 'leftover',
    message: 'left behind by a build that failed',
    advice: /__(set_aside|broken)$/.test(index)
      ? '`multi-pair-db migrate` (or `rollback 002`) drops it.'
      : `\`multi-pair-db maintain reindex\` drops it, or: drop index concurrently ${quote(index)}`,
  };
}

/** A plain B-tree whose keys another valid one begins with does nothing that the other can't; a constraint's, or a unique one, guards. */
function redundant(index: IndexFacts, { all, own }: Surroundings): IndexFinding | undefined {
  if (index.method !== 'btree' || index.constraint || index.unique) return undefined;
  const coveredBy = all.filter((other) => covers(other, index)).map((other) => other.index);
  if (coveredBy.length === 0) return undefined;
  return {
    kind: 'redundant',
    message: `${coveredBy.join(', ')} ${coveredBy.length === 1 ? 'begins' : 'begin'} with the same columns and can serve in its place`,
    advice: dropAdvice(index.index, own),
    coveredBy,
  };
}

function covers(other: IndexFacts, index: IndexFacts): boolean {
  if (other.index === index.index || other.table !== index.table || other.method !== 'btree') return false;
  if (!other.valid || other.predicate !== index.predicate || other.keys.length < index.keys.length)
    return false;
  if (!index.keys.every((key, position) => key === other.keys[position])) return false;
  const columns = new Set([...other.keys.map((key) => key.split(' ')[0]), ...other.included]);
  if (!index.included.every((column) => columns.has(column))) return false;
  // Of two that are equal, only one may go: the one that guards nothing, else the later name.
  const isTwin = other.keys.length === index.keys.length && other.included.length === index.included.length;
  return !isTwin || other.unique || other.constraint || other.index < index.index;
}

function unused(index: IndexFacts, surroundings: Surroundings): IndexFinding | undefined {
  const { own, nowMs, migratedAtMs } = surroundings;
  if (index.scans > 0 || index.unique || index.constraint) return undefined;
  const isOurs = own.has(index.index);
  if (isOurs && migratedAtMs !== undefined && nowMs - migratedAtMs < enoughDays * dayMs) return undefined;
  const days = index.countedSinceMs === null ? undefined : (nowMs - index.countedSinceMs) / dayMs;
  const since =
    index.countedSinceMs === null
      ? 'since it was built'
      : `since ${new Date(index.countedSinceMs).toISOString()}`;
  const short = days !== undefined && days < enoughDays ? `, which is less than ${enoughDays} days` : '';
  return {
    kind: 'unused',
    message: `no query has used it ${since}${short}${isOurs ? '' : '; PostgreSQL does not keep when it was built, and a new one looks the same'}`,
    advice: `Look at the replicas too, and for a month at least. ${dropAdvice(index.index, own)}`,
  };
}

function bloated({ index, bloat, sizeBytes }: IndexFacts): IndexFinding | undefined {
  if (bloat === null || bloat < bloatShare || bloat * sizeBytes < bloatBytes) return undefined;
  return {
    kind: 'bloated',
    message: `about ${Math.round(bloat * 100)} % of it is empty space (an estimate)`,
    advice: `\`multi-pair-db maintain reindex ${index}\` gives it back while services go on.`,
  };
}

function dropAdvice(index: string, own: ReadonlySet<string>): string {
  return own.has(index)
    ? 'The schema names it: to drop it, take it out of the schema in a migration, or `verify` will miss it.'
    : `To drop it without blocking anyone: drop index concurrently ${quote(index)}`;
}
