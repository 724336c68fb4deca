import { PGlite } from '@electric-sql/pglite';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseArray, serializeArray } from '../../src/connection/arrays.ts';

const textType = 25;
const boxType = 603;

test.each([
  ['{}', []],
  ['{1,NULL,3}', ['1', null, '3']],
  ['{"NULL","a,b","c\\"d\\\\","",{x}}', ['NULL', 'a,b', 'c"d\\', '', ['x']]],
  ['[2:3]={a,b}', ['a', 'b']],
])('%s', (text, values) => {
  expect(parseArray(text, textType)).toEqual(values);
});

test('boxes are parted by semicolons', () => {
  expect(parseArray('{(1,1),(0,0);(2,2),(0,0)}', boxType)).toEqual(['(1,1),(0,0)', '(2,2),(0,0)']);
  expect(serializeArray(['(1,1),(0,0)', null], boxType)).toBe('{"(1,1),(0,0)";NULL}');
});

test('PostgreSQL reads what is written, and what it writes is read', async () => {
  const client = await PGlite.create();
  const texts = fc.array(fc.option(fc.string({ unit: 'binary' }).filter((text) => !text.includes('\0'))));
  await fc.assert(
    fc.asyncProperty(texts, async (values) => {
      const { rows } = await client.query<{ count: number; text: string }>(
        'select cardinality(a) as count, a::text as text from (select $1::text::text[] as a)',
        [serializeArray(values, textType)],
      );
      expect(rows[0]?.count).toBe(values.length);
      expect(parseArray(rows[0]?.text ?? '', textType)).toEqual(values);
    }),
    { numRuns: 200 },
  );
  await client.close();
});
