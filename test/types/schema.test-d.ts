import { expectTypeOf, test } from 'vitest';
import type { Fill, NewSession, Session } from '../../src/schema/index.ts';

test('a session is read with every column, and inserted with its id alone', () => {
  expectTypeOf<Session['pairs']>().toEqualTypeOf<string[] | null>();
  expectTypeOf<Session['startedAt']>().toEqualTypeOf<number | null>();
  expectTypeOf<{ id: string }>().toExtend<NewSession>();
  // @ts-expect-error a session without an id
  const missing: NewSession = {};
  expectTypeOf(missing).not.toBeAny();
});

test('a trade id keeps all 64 bits', () => {
  expectTypeOf<Fill['tradeId']>().toEqualTypeOf<bigint | null>();
});
