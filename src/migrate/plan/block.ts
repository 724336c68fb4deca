import type { StatementFacts } from '../project.ts';
import { type Effect, joinEffects } from './effect.ts';
import { readEffect } from './effects/index.ts';
import { callsOnlyHarmless } from './effects/query.ts';
import { frameSchema, restsItself } from './frame.ts';
import { mergeLocks } from './locks.ts';
import { normalizeStatement } from './normalize.ts';
import { isRecord, type Node, type Parse, type Parser, readWords, walk } from './parse.ts';

/** A block that takes its lock with `lock_briefly`: the tables that it names, and what its statements do under that lock. */
export function classifyBriefBlock(sql: string, { parse, parseBlock }: Parser): StatementFacts | undefined {
  if (!/^do\b/i.test(normalizeStatement(sql))) return undefined;
  const tables = [
    ...sql.matchAll(new RegExp(`\\bcall\\s+${frameSchema}\\.lock_briefly\\s*\\(([^)]*)\\)`, 'gi')),
  ].flatMap(([, names = '']) => [...names.matchAll(/'([^']+)'/g)].map(([, name = '']) => name));
  if (tables.length === 0) return undefined;
  const effect = readBody(parseBlock(sql), parse);
  const held = effect?.isQuick === false ? 'for as long as the block works' : 'for some milliseconds';
  // Batches of its own come before the lock.
  const extent = restsItself(sql) ? 'in one message' : 'in one message and one transaction';
  const known = {
    lock: `SHARE UPDATE EXCLUSIVE, then ACCESS EXCLUSIVE ${held}; waits 50 ms at most for the latter, then tries again`,
    tables,
    exclusive: tables,
  };
  if (effect === undefined)
    return {
      ...known,
      work: `what the block says, ${extent}; what that is, is not known`,
    };
  const locks = tables.map((name) => ({ name, on: 'itself', mode: 'ACCESS EXCLUSIVE' }) as const);
  return {
    ...known,
    work: `${effect.work}; ${extent}`,
    locks: mergeLocks([...locks, ...effect.locks]),
    rewrite: effect.rewrite,
    ...(effect.isQuick ? { isQuick: true } : {}),
    ...(effect.rewrites === undefined ? {} : { rewrites: effect.rewrites }),
    ...(effect.builds === undefined ? {} : { builds: effect.builds }),
  };
}

/** All statements of a block, whether it comes to them or not. Undefined where one of them is made while it runs. */
function readBody(block: unknown, parse: Parse): Effect | undefined {
  const effects: (Effect | undefined)[] = block === undefined ? [undefined] : [];
  walk(block, (node) => {
    if ('PLpgSQL_stmt_dynexecute' in node || 'PLpgSQL_stmt_dynfors' in node) effects.push(undefined);
    const expression = node['PLpgSQL_expr'];
    if (isRecord(expression)) effects.push(readExpression(expression, parse));
    return true;
  });
  const known = effects.filter((effect) => effect !== undefined);
  return known.length < effects.length ? undefined : joinEffects(known);
}

const nothing: Effect = { locks: [], rewrite: 'no', work: 'catalog only', isQuick: true };

/** As PL/pgSQL keeps it: a statement, an expression, or an assignment. */
const statementMode = 0;
const expressionMode = 2;

function readExpression(
  { query, parseMode }: Readonly<Record<string, unknown>>,
  parse: Parse,
): Effect | undefined {
  const text = String(query);
  if (parseMode !== statementMode) {
    const value = parseMode === expressionMode ? text : text.replace(/^[^:=]*:?=/, '');
    const tree = parse(`select ${value}`);
    return tree !== undefined && callsOnlyHarmless(tree) ? nothing : undefined;
  }
  const nodes = parse(text);
  if (nodes?.every(isOfFrame) === true) return nothing;
  const effects = nodes?.map((node) => readEffect(node, parse)) ?? [undefined];
  const known = effects.filter((effect) => effect !== undefined);
  return known.length < effects.length ? undefined : joinEffects(known);
}

/** `call multi_pair_db.lock_briefly(…)`, `perform multi_pair_db.entered()`: what they do is said otherwise. */
function isOfFrame(node: Node): boolean {
  if ('CallStmt' in node) return readWords(node.CallStmt.funccall?.funcname)[0] === frameSchema;
  if (!('SelectStmt' in node) || node.SelectStmt.fromClause !== undefined) return false;
  return (node.SelectStmt.targetList ?? []).every(
    (target) =>
      'ResTarget' in target &&
      target.ResTarget.val !== undefined &&
      'FuncCall' in target.ResTarget.val &&
      readWords(target.ResTarget.val.FuncCall.funcname)[0] === frameSchema,
  );
}
