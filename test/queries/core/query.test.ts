import { sql } from 'drizzle-orm';
import { expect, test } from 'vitest';
import { defineQuery } from '../../../src/queries/core/query.ts';
import { orders } from '../../../src/schema/index.ts';

const fields = { id: orders.id, placedAt: orders.timestamp };

const query = defineQuery<{ symbol: string; status?: string | undefined; limit: number }, typeof fields>({
  name: 'example',
  fields,
  statement: (given, columns) => sql`
    select ${columns('o')} from orders as o
    where symbol = ${given.symbol} ${given.status && sql`and status = ${given.status}`}
    limit ${given.limit}`,
});
const flat = (text: string) => text.replaceAll(/\s+/g, ' ').trim();

test('each combination of given values has a text of its own, with its parameters in order', () => {
  const without = query.toSQL({ symbol: 'BTC/USD', limit: 1 });
  expect(flat(without.sql)).toBe(
    'select "o"."id", "o"."timestamp" from orders as o where symbol = $1 limit $2',
  );
  expect(without.params).toEqual(['BTC/USD', 1]);
  expect(query.toSQL({ symbol: 'BTC/USD', status: undefined, limit: 1 })).toEqual(without);

  const withStatus = query.toSQL({ limit: 2, status: 'open', symbol: 'ETH/USD' });
  expect(flat(withStatus.sql)).toContain('symbol = $1 and status = $2 limit $3');
  expect(withStatus.params).toEqual(['ETH/USD', 'open', 2]);
});

test('a value written into the statement in place is refused: it would be the first caller’s for ever', () => {
  const careless = defineQuery<{ limit: number }, typeof fields>({
    name: 'careless',
    fields,
    statement: (_, columns) => sql`select ${columns()} from orders limit ${1}`,
  });
  expect(() => careless.toSQL({ limit: 1 })).toThrow(/takes its values from given/);
});
