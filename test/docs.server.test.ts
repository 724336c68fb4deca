import { expect, test } from 'vitest';
import { programsOf, typeCheck } from './support/examples.ts';
import { readPages } from './support/pages.ts';

// Beside the tests of real servers because the package is built for those: against the sources it took a minute of a busy machine.
test('the examples of the docs type-check as in a strict service, and a mistake in one would not', async () => {
  const projects = Object.fromEntries(
    (await readPages()).map(({ name, blocks }) => [name, programsOf(blocks)]),
  );
  expect(Object.keys(projects['docs/adopt.md'] ?? {})).toContain('test/service.test.ts');
  const mistake = {
    'src/a.ts': "import { findFill } from 'multi-pair-db/queries';\nfindFill({ id: 'f' });\n",
  };
  expect(await typeCheck({ ...projects, mistake })).toEqual([expect.stringContaining('mistake/src/a.ts(2,')]);
});
