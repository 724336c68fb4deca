import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { insertFills, listPairPerformance } from '../../../src/queries/index.ts';
import { emptyTables, type OpenHandle, openPglite } from '../../support/handles.ts';

let handle: OpenHandle;
beforeAll(async () => {
  handle = await openPglite();
});
afterAll(() => handle[Symbol.asyncDispose]());

type Line = readonly [currency: string | null, amount: string];
type Json = string | number | boolean | null | undefined | Json[] | { [key: string]: Json };

const names = ['currency', 'cost', 'amount', 'fee', 'rate'];
const isDecimal = (text: string) => /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,3})?$/i.test(text);
const isObject = (value: Json): value is { [key: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isNothing = (value: Json) =>
  value === null || value === undefined || (typeof value === 'object' && Object.keys(value).length === 0);
const textOf = (value: Json): string | undefined => {
  if (value === null || value === undefined) return undefined;
  return typeof value === 'object' ? '{…}' : String(value);
};

/** The rule, once more and plainly: what the docstring of listPairPerformance says. */
function linesOf(fees: Json, feeData: Json, fee: string | undefined): Line[] {
  if (!isNothing(fees)) return (Array.isArray(fees) ? fees : [fees]).flatMap((item) => itemLines(item, fees));
  if (isObject(feeData) && isFee(feeData)) {
    return feeLines(feeData).flatMap(([currency, amount], i): Line[] =>
      i > 0 || amount !== '?' ? [[currency, amount]] : fee === undefined ? [] : [[currency, fee]],
    );
  }
  if (fee !== undefined) return [[null, fee]];
  if (isNothing(feeData)) return [];
  return (Array.isArray(feeData) ? feeData : [feeData]).flatMap((item) => {
    const lines = itemLines(item, feeData);
    // In a list of feeData, as anywhere in it, a fee without an amount says nothing.
    return isObject(item) && isFee(item) && lines[0]?.[1] === '?' ? lines.slice(1) : lines;
  });
}
const isFee = (value: { [key: string]: Json }) => names.some((name) => Object.hasOwn(value, name));

/** The fee itself first, `?` where it has no amount; then what stands beside it. */
function feeLines(value: { [key: string]: Json }): Line[] {
  const { currency } = value;
  const name = typeof currency === 'string' || typeof currency === 'number' ? String(currency) : '';
  const amount = textOf(value['cost']) ?? textOf(value['amount']) ?? textOf(value['fee']) ?? '?';
  const others = Object.entries(value).filter(
    ([key, other]) => !names.includes(key) && isDecimal(textOf(other) ?? ''),
  );
  return [[name === '' ? null : name, amount], ...others.map((): Line => [null, '?'])];
}

function itemLines(item: Json, whole: Json): Line[] {
  const isListed = Array.isArray(whole);
  if (isObject(item)) {
    if (isFee(item)) return feeLines(item);
    if (isListed && Object.keys(item).length === 0) return [[null, '?']];
    return Object.entries(item).map(([key, value]) => [key === '' ? null : key, textOf(value) ?? '?']);
  }
  return [[null, isListed ? '?' : (textOf(item) ?? '?')]];
}

const amount = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom<Json>(0.1, '0.25', '-1e-3', 3, '.5') },
  fc.constantFrom<Json>('', 'x', ' 1', null, true, [], {}, [1], { USDT: 1 }, '1e9999', 'NaN', '0x1'),
);
const key = fc.constantFrom(...names, ...names, 'USDT', 'BNB', 'COST', '', 'tier');
const item = fc.oneof(
  fc.dictionary(key, amount, { maxKeys: 4 }),
  fc.record({ currency: key, cost: amount }),
  amount,
);
const document = fc.oneof(item, fc.array(item, { maxLength: 3 }), fc.constant(undefined), fc.jsonValue());
const fill = fc.record({
  fees: fc.option(document, { nil: undefined }),
  feeData: document,
  fee: fc.option(fc.constantFrom('0.5', '-2', '0'), { nil: undefined }),
  feeAmount: fc.option(fc.constantFrom('0.25'), { nil: undefined }),
});

test('of any document every entry is in a total or counted, as a plain reading has it', async () => {
  const seen = { readable: 0, unreadable: 0 };
  await fc.assert(
    fc.asyncProperty(fc.array(fill, { minLength: 20, maxLength: 60 }), async (fills) => {
      await emptyTables(handle.db);
      const rows = fills.map((values, i) => {
        const given = Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
        return { id: `f${i}`, symbol: `P${String(i).padStart(2, '0')}`, timestamp: 1, ...given };
      });
      await insertFills(handle.db, rows);
      const performance = await listPairPerformance(handle.db, { fromMs: 0, toMs: 2 });
      for (const [i, values] of fills.entries()) {
        const lines = linesOf(values.fees, values.feeData, values.fee ?? values.feeAmount);
        const readable = lines.filter(([, text]) => isDecimal(text));
        const totals = new Map<string | null, number>();
        for (const [currency, text] of readable) {
          totals.set(currency, (totals.get(currency) ?? 0) + Number(text));
        }
        const got = performance[i];
        const where = JSON.stringify(values);
        expect(got?.unreadableFeeCount, where).toBe(lines.length - readable.length);
        expect(got?.fees.map((fee) => fee.currency).toSorted(), where).toEqual([...totals.keys()].toSorted());
        for (const { currency, amount } of got?.fees ?? []) {
          expect(Number(amount), where).toBeCloseTo(totals.get(currency) ?? Number.NaN, 6);
        }
        seen.readable += readable.length;
        seen.unreadable += lines.length - readable.length;
      }
    }),
    { numRuns: 40 },
  );
  expect(seen.readable).toBeGreaterThan(100);
  expect(seen.unreadable).toBeGreaterThan(100);
});
