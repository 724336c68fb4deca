import type { TableLock } from '../../project.ts';
import { catalogOnly, type Effect } from '../effect.ts';
import { type Nodes, type Parse, readWords } from '../parse.ts';
import { lockUnrunQuery } from './query.ts';

/** Languages whose bodies are looked at only when they run. */
const unreadLanguages: ReadonlySet<string> = new Set(['plpgsql', 'c', 'internal']);

/** CREATE FUNCTION and PROCEDURE. A body in SQL is read at once, and the tables that it names are locked as for a query. */
export function createFunction(
  { options = [], sql_body }: Nodes['CreateFunctionStmt'],
  parse: Parse,
): Effect | undefined {
  if (sql_body !== undefined) return catalogOnly(lockUnrunQuery(sql_body).map(may));
  const given = options.flatMap((option) => ('DefElem' in option ? [option.DefElem] : []));
  const language = given.find(({ defname }) => defname === 'language')?.arg;
  const name = language !== undefined && 'String' in language ? (language.String.sval ?? '') : 'sql';
  if (unreadLanguages.has(name)) return catalogOnly([]);
  if (name !== 'sql') return undefined;
  const body = given.find(({ defname }) => defname === 'as')?.arg;
  const statements = parse(body !== undefined && 'List' in body ? readWords(body.List.items).join('\n') : '');
  return statements === undefined ? undefined : catalogOnly(lockUnrunQuery(statements).map(may));
}

const may = (lock: TableLock): TableLock => ({ ...lock, may: true });
