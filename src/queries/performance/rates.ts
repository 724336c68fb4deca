import { checkText } from '../core/arguments.ts';
import { InvalidArgumentError } from '../core/errors.ts';
import { type Decimal, parseDecimal } from './decimal.ts';

/** The longest text of a mark or a rate: no venue quotes more digits, and arithmetic gets slow with them. */
export const maxDecimalLength = 100;
/** A decimal that a caller gives: `0.1`, `-3`, `1e-7`. */
export const decimalTextPattern = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?$/;
/** A rate: the same, but never below zero. */
export const rateTextPattern = /^\+?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?$/;

/**
 * What one unit of a currency is worth in the quote asset of the pair, by currency, exactly as stored, `''` for fees that
 * name none: a decimal for all pairs, or one for each pair (`{ BNB: { 'BTC/USDT': '600', 'ETH/BTC': '0.01' } }`). The
 * quote of `BASE/QUOTE` itself is 1, and needs none.
 */
export type FeeRates = Readonly<Record<string, string | Readonly<Record<string, string>>>>;

/** What a fee of one unit comes to in the quote asset. */
export type FeeRate = (currency: string, symbol: string) => Decimal;

const one: Decimal = { units: 1n, scale: 0 };

/** The asset that prices are in, where the name of the pair tells: `USDT` of `BTC/USDT` and `BTC/USDT:USDT`. */
export const quoteOf = (symbol: string): string | undefined =>
  /^[^/:]+\/([^/:]+)(?::[^/:]+)?$/.exec(symbol)?.[1];

/** Decimals by name, as `marks` are. */
export function checkDecimals(
  name: string,
  given: Readonly<Record<string, string>> | undefined,
  pattern = decimalTextPattern,
): Map<string, Decimal> {
  return new Map(entriesOf(name, given).map(([key, text]) => [key, checkDecimal(name, key, text, pattern)]));
}

export function checkFeeRates(given: FeeRates | undefined): FeeRate {
  const rates = new Map(
    entriesOf('feeRates', given).map(([currency, rate]) => [
      currency,
      typeof rate === 'string'
        ? checkDecimal('feeRates', currency, rate, rateTextPattern)
        : checkDecimals(`feeRates[${JSON.stringify(currency)}]`, rate, rateTextPattern),
    ]),
  );
  return (currency, symbol) => {
    if (currency !== '' && currency === quoteOf(symbol)) return one;
    const found = rates.get(currency);
    const rate = found instanceof Map ? found.get(symbol) : found;
    if (rate !== undefined) return rate;
    const fee = currency === '' ? 'a fee that names no currency' : `a fee in ${currency}`;
    throw new InvalidArgumentError(
      `${symbol} has ${fee}, which is not known to be its quote asset: give its rate into that as feeRates[${JSON.stringify(currency)}]`,
    );
  };
}

/** What one unit of a pair's quote asset is worth in the asset that all of them are added up in. */
export type QuoteRate = (symbol: string) => Decimal;

/** Without rates all pairs must have one quote asset, as their names tell; one pair alone has one in any case. */
export function checkQuoteRates(given: Readonly<Record<string, string>> | undefined): QuoteRate {
  const rates = checkDecimals('quoteRates', given, rateTextPattern);
  let first: string | undefined;
  return (symbol) => {
    const quote = quoteOf(symbol);
    const rate = rates.get(symbol) ?? (quote === undefined ? undefined : rates.get(quote));
    if (rate !== undefined) return rate;
    if (given === undefined) {
      first ??= symbol;
      if (first === symbol || (quote !== undefined && quote === quoteOf(first))) return one;
    }
    const others = first === undefined ? '' : `, and ${first} may be in another`;
    throw new InvalidArgumentError(
      `${symbol} is in ${quote ?? 'a quote asset that its name does not tell'}${others}: give its rate as quoteRates[${JSON.stringify(quote ?? symbol)}]`,
    );
  };
}

/** No list, no map: their entries are no properties, and would be passed over. */
function entriesOf<T>(name: string, given: Readonly<Record<string, T>> | undefined): [string, T][] {
  if (given === undefined) return [];
  if (Object.prototype.toString.call(given) !== '[object Object]') {
    throw new InvalidArgumentError(`${name} must be an object of decimals`);
  }
  return Object.entries(given).map(([key, value]) => [checkText(`a name in ${name}`, key), value]);
}

function checkDecimal(name: string, key: string, value: unknown, pattern: RegExp): Decimal {
  const isDecimal = typeof value === 'string' && value.length <= maxDecimalLength && pattern.test(value);
  const decimal = isDecimal ? parseDecimal(value) : undefined;
  if (decimal !== undefined) return decimal;
  const sign = pattern === rateTextPattern ? ', not below zero' : '';
  throw new InvalidArgumentError(
    `${name}[${JSON.stringify(key)}] must be a decimal as text${sign}, of ${maxDecimalLength} characters at most`,
  );
}
