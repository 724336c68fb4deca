import type { StatementFacts } from '../project.ts';
import { classifyBriefBlock } from './block.ts';
import { type Effect, joinEffects } from './effect.ts';
import { readEffect } from './effects/index.ts';
import { classifyFrameCall } from './frame.ts';
import { describeLocks } from './locks.ts';
import { normalizeStatement } from './normalize.ts';
import { isOn, loadParser, type Node, type Parser } from './parse.ts';

/** What the text of a statement, or of several in one message, tells. */
export interface StatementReading {
  readonly facts: StatementFacts;
  /** PostgreSQL refuses it inside a transaction. */
  readonly refusesTransaction: boolean;
  /** What it leaves: a transaction that is open, or none. Undefined: as it was before. */
  readonly leaves: 'transaction' | 'no transaction' | undefined;
}

export type ReadStatement = (sql: string) => StatementReading;

/** Loads PostgreSQL's parser, and gives what reads statements with it. */
export async function loadReader(): Promise<ReadStatement> {
  const parser = await loadParser();
  return (sql) => readStatement(sql, parser);
}

function readStatement(sql: string, parser: Parser): StatementReading {
  const nodes = parser.parse(sql);
  return {
    facts: classify(sql, nodes, parser),
    refusesTransaction: nodes?.some(refusesTransaction) ?? false,
    leaves: nodes?.map(leaves).findLast((one) => one !== undefined),
  };
}

function classify(sql: string, nodes: readonly Node[] | undefined, parser: Parser): StatementFacts {
  if (nodes === undefined) return notKnown('PostgreSQL 18 does not know this statement', []);
  if (nodes.length === 1) {
    const text = normalizeStatement(sql);
    const framed = classifyFrameCall(text) ?? classifyBriefBlock(sql, parser);
    if (framed !== undefined) return framed;
  }
  const effects = nodes.map((node) => readEffect(node, parser.parse));
  const known = effects.filter((effect) => effect !== undefined);
  if (known.length < effects.length) return notKnown('read the statement', known);
  return toFacts(joinEffects(known));
}

function toFacts(effect: Effect): StatementFacts {
  const { locks, rewrite, work, isQuick, creates = [], rewrites, builds } = effect;
  return {
    lock: describeLocks(locks, isQuick),
    work,
    tables: [...new Set([...listTables(effect), ...creates])],
    locks,
    rewrite,
    ...(isQuick ? { isQuick } : {}),
    ...(rewrites === undefined ? {} : { rewrites }),
    ...(builds === undefined ? {} : { builds }),
  };
}

const listTables = ({ locks }: Effect): string[] =>
  locks.flatMap(({ name, on }) => (on === 'itself' ? [name] : []));

/** One statement of several may be known: what it locks at least is said. */
function notKnown(why: string, known: readonly Effect[]): StatementFacts {
  const { locks, isQuick } = joinEffects(known);
  const least = locks.length === 0 ? '' : `; at least ${describeLocks(locks, isQuick)}`;
  return {
    lock: `not known: ${why}${least}`,
    work: `not known: ${why}`,
    tables: [...new Set(known.flatMap(listTables))],
  };
}

function refusesTransaction(node: Node): boolean {
  if ('IndexStmt' in node) return node.IndexStmt.concurrent === true;
  if ('DropStmt' in node) return node.DropStmt.concurrent === true;
  if ('VacuumStmt' in node) return node.VacuumStmt.is_vacuumcmd === true;
  if ('ReindexStmt' in node) {
    const { kind, params } = node.ReindexStmt;
    return isOn(params, 'concurrently') || wholeReindex.has(kind ?? '');
  }
  if ('ClusterStmt' in node) return node.ClusterStmt.relation === undefined;
  if ('AlterTableStmt' in node) {
    return (node.AlterTableStmt.cmds ?? []).some(
      (cmd) =>
        'AlterTableCmd' in cmd &&
        cmd.AlterTableCmd.def !== undefined &&
        'PartitionCmd' in cmd.AlterTableCmd.def &&
        cmd.AlterTableCmd.def.PartitionCmd.concurrent === true,
    );
  }
  return alwaysAlone.some((name) => name in node);
}

const wholeReindex: ReadonlySet<string> = new Set([
  'REINDEX_OBJECT_SCHEMA',
  'REINDEX_OBJECT_SYSTEM',
  'REINDEX_OBJECT_DATABASE',
]);

const alwaysAlone = [
  'CreatedbStmt',
  'DropdbStmt',
  'AlterSystemStmt',
  'CreateTableSpaceStmt',
  'DropTableSpaceStmt',
] as const;

function leaves(node: Node): StatementReading['leaves'] {
  if (!('TransactionStmt' in node)) return undefined;
  const { kind, chain } = node.TransactionStmt;
  switch (kind) {
    case 'TRANS_STMT_BEGIN':
    case 'TRANS_STMT_START':
      return 'transaction';
    case 'TRANS_STMT_COMMIT':
    case 'TRANS_STMT_ROLLBACK':
      return chain === true ? 'transaction' : 'no transaction';
    case 'TRANS_STMT_PREPARE':
      return 'no transaction';
    default:
      return undefined;
  }
}
