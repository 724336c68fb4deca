import { expect, test } from 'vitest';
import { RunView } from '../../src/cli/run-view.ts';

const tag = '0002_symbol_indexes';
const build = (table: string): string =>
  `create index concurrently if not exists idx_${table} on ${table} (symbol)`;

test('what is left of the builds is told by how long those took that are built, and without milliseconds', () => {
  let now = 0;
  const view = new RunView(() => now);
  const begin = (number: number): void =>
    view.record({ kind: 'statement', tag, statement: build(`t${number}`), number, of: 3 });
  view.record({
    kind: 'planned',
    files: [{ tag, statements: [1, 2, 3].map((number) => build(`t${number}`)) }],
  });
  begin(1);
  expect(view.line()).toContain('index 1 of 3');
  expect(view.line()).not.toContain('left');
  now = 4_000;
  begin(2);
  expect(view.line()).toContain('index 2 of 3, about 8 s left');
  now = 1_500;
  begin(3);
  expect(view.line()).toContain('index 3 of 3, less than 1 s left');
});
