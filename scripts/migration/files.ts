import { quoteLiteral as literal, quoteIdentifier as quote } from '../../src/connection/identifiers.ts';
import type { Draft } from './draft.ts';
import { createIndex, type IndexPart } from './parts.ts';

const breakpoint = ';--> statement-breakpoint';

/** Names in a sentence: `a`, `a and b`, `a, b and c`. */
const inWords = (names: readonly string[]): string =>
  names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;

/** Comment lines under a label, each at most 120 wide. */
function labelled(label: string, text: string): string {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines[lines.length - 1] ?? '';
    if (line.length + word.length > 108) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines
    .map((line, at) => `-- ${(at === 0 ? `${label}:` : '').padEnd(Math.max(8, label.length + 2))}${line}`)
    .join('\n');
}

/** The file that applies a draft. */
export function writeUpFile(draft: Draft): string {
  const { tag, indexes, droppedIndexes, columns, unvalidated, block } = draft;
  const drops = droppedIndexes.map(({ index }) => [`drop index concurrently if exists ${quote(index)}`]);
  const paragraphs = [
    [
      `call multi_pair_db.enter(${literal(tag)})`,
      'commit',
      'call multi_pair_db.rest()',
      ...columns.map(expectColumn),
      ...indexes.map(expectIndex),
    ],
    ...(block.length === 0 ? [] : [[writeBlock(draft.lockedTables, block)]]),
    ...(unvalidated.length === 0 ? [] : [unvalidated.map(validate)]),
    ...indexes.map((index) => buildIndex(index)),
    ...drops,
    [`call multi_pair_db.prove(${literal(tag)})`, 'begin'],
  ];
  return `${writeUpHeader(draft)}\n\n${writeParagraphs(paragraphs)}call multi_pair_db.hand_over();\n`;
}

/** The file in `down/` that takes it back. */
export function writeDownFile(draft: Draft): string {
  const { tag, createdAtMs, indexes, droppedIndexes, lockedTables, undoBlock } = draft;
  const back = [
    ...indexes,
    ...droppedIndexes.map((index) => ({ ...index, before: index.definition })),
  ].flatMap(({ before, ...index }) => (before === undefined ? [] : [{ ...index, definition: before }]));
  const gone = indexes.filter(({ before }) => before === undefined);
  const forget = `call multi_pair_db.forget(${literal(tag)}, ${createdAtMs})`;
  const isBlock = undoBlock.length > 0;
  // The row goes with the block, in one transaction. Where there is none it goes first: half way, the file is pending.
  const paragraphs = [
    [
      `call multi_pair_db.enter(${literal(`down/${tag}`)})`,
      'call multi_pair_db.rest()',
      ...(isBlock ? [] : [forget]),
      ...back.map(expectIndex),
    ],
    ...gone.map(({ index }) =>
      ['', '__broken', '__set_aside'].map((end) => `drop index concurrently if exists ${quote(index + end)}`),
    ),
    ...back.map(buildIndex),
    ...(isBlock ? [[writeBlock(lockedTables, [...undoBlock, forget])]] : []),
  ];
  return `${writeDownHeader(draft)}\n\n${writeParagraphs(paragraphs)}\ncall multi_pair_db.leave();\n`;
}

const writeParagraphs = (paragraphs: readonly (readonly string[])[]): string =>
  paragraphs.map((lines) => lines.map((line) => `${line}${breakpoint}\n`).join('')).join('\n');

const expectIndex = ({ index, table, definition }: IndexPart): string =>
  `call multi_pair_db.expect_index(${literal(index)}, ${literal(table)}, ${literal(definition)})`;

const expectColumn = ({ table, column, type }: Draft['columns'][number]): string =>
  `call multi_pair_db.expect_column(${literal(table)}, ${literal(column)}, ${literal(type)})`;

const buildIndex = (index: IndexPart): string[] => [
  'call multi_pair_db.rest()',
  `drop index concurrently if exists ${quote(`${index.index}__broken`)}`,
  createIndex(index, 'concurrently '),
  `drop index concurrently if exists ${quote(`${index.index}__set_aside`)}`,
];

const validate = ({ table, constraint }: Draft['unvalidated'][number]): string =>
  `-- squawk-ignore prefer-robust-stmts\nalter table ${quote(table)} validate constraint ${quote(constraint)}`;

function writeBlock(tables: readonly string[], statements: readonly string[]): string {
  const lock =
    tables.length === 0 ? [] : [`call multi_pair_db.lock_briefly(${tables.map(literal).join(', ')})`];
  // Without a lock nothing else would refuse where a client goes on after a refusal.
  const guard = tables.length === 0 ? ['perform multi_pair_db.entered()'] : [];
  const lines = [...guard, ...lock, ...statements].map((line) => `  ${line.replaceAll('\n', '\n  ')};`);
  return `do $change$\nbegin\n${lines.join('\n')}\nend\n$change$`;
}

function writeUpHeader(draft: Draft): string {
  const { tag, indexes, droppedIndexes, columns, newTables, lockedTables, unvalidated } = draft;
  const what = [
    columns.length > 0 ? `adds ${inWords(columns.map(({ table, column }) => `${table}.${column}`))}` : '',
    newTables.length > 0 ? `creates ${inWords(newTables)}` : '',
    unvalidated.length > 0
      ? `adds and validates ${inWords(unvalidated.map(({ constraint }) => constraint))}`
      : '',
    indexes.length > 0
      ? `builds ${inWords(indexes.map(({ index }) => index))}; one of the name that is INVALID or defined otherwise is set aside first`
      : '',
    droppedIndexes.length > 0 ? `drops ${inWords(droppedIndexes.map(({ index }) => index))}` : '',
  ].filter((text) => text !== '');
  const indexed = [...new Set([...indexes, ...droppedIndexes].map(({ table }) => table))];
  const locks = [
    lockedTables.length > 0
      ? `ACCESS EXCLUSIVE on ${inWords(lockedTables)} for some milliseconds, in tries of 50 ms at most.`
      : '',
    indexed.length > 0
      ? `SHARE UPDATE EXCLUSIVE on ${inWords(indexed)}: reads and writes go on; waits for transactions that were open when it began.`
      : '',
  ].filter((text) => text !== '');
  return [
    `-- ${tag}`,
    '--',
    labelled('What', `${what.join('; ') || 'changes defaults'}.`),
    labelled('Locks', locks.join(' ') || 'none on tables that exist.'),
    labelled(
      'Runs',
      "ends the runner's transaction, works outside one, opens a new one for the journal row. Killed half way, it is finished by the next run. At once with another migration of this database: refuses.",
    ),
    labelled(
      'Undo',
      `drizzle/down/${tag}.sql. ${lossOf(draft) === undefined ? 'No data is lost.' : 'What services have written into it is lost.'}`,
    ),
  ].join('\n');
}

function lossOf({ columns, newTables }: Draft): string | undefined {
  const lost = [
    ...newTables.map((table) => `the table ${table}`),
    ...columns
      .filter(({ table }) => !newTables.includes(table))
      .map(({ table, column }) => `the column ${table}.${column}`),
  ];
  if (lost.length === 0) return undefined;
  return `${inWords(lost)} ${lost.length === 1 ? 'goes' : 'go'}, with all that services have written there`;
}

function writeDownHeader(draft: Draft): string {
  const loss = lossOf(draft);
  return [
    `-- Undo of ${draft.tag}.${loss === undefined ? ' No data is lost.' : ''}`,
    '--',
    ...(loss === undefined ? [] : [labelled('DATA LOSS', `${loss}.`)]),
    labelled(
      'Locks',
      draft.undoBlock.length > 0 && draft.lockedTables.length > 0
        ? `ACCESS EXCLUSIVE on ${inWords(draft.lockedTables)} for some milliseconds, in tries of 50 ms at most.`
        : 'SHARE UPDATE EXCLUSIVE on one table at a time: reads and writes go on.',
    ),
    labelled(
      'Runs',
      'outside a transaction; run it again if it was interrupted. At once with another migration: refuses.',
    ),
  ].join('\n');
}
