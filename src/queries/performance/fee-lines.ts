import { type SQL, sql } from 'drizzle-orm';

/** Whether a text is a decimal, in SQL. */
export const isDecimal = (text: SQL): SQL =>
  sql`${text} ~ '^[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]{1,3})?$'`;

/** An object with any of these names is one fee, and not a map of currencies. */
const feeNames = sql`array['currency', 'cost', 'amount', 'fee', 'rate']`;

const saysFees = sql`coalesce(fees, 'null') not in ('null', '[]', '{}')`;

/**
 * What the fees of a fill are read from: `fees`, where it says anything, else `feedata` with `fee` or `feeamount`. To be
 * worked out once for each fill, and not for each line.
 */
export const feeColumns = sql`
    ${saysFees} as is_fees,
    case when ${saysFees} then fees else feedata end as fee_document,
    case when not ${saysFees} then coalesce(fee::text, feeamount::text) end as fallback`;

/** The document, or the elements of a list. offset 0, or all of it is worked out anew wherever it is used. */
const items = sql`
    select item, is_listed, jsonb_typeof(item) = 'object' as is_object,
      jsonb_typeof(item) = 'object' and item ?| ${feeNames} as is_fee
    from (
      select k.fee_document as item, false as is_listed
      where jsonb_typeof(k.fee_document) is distinct from 'array' or k.fallback is not null
      union all
      select element, true
      from jsonb_array_elements(
        case when jsonb_typeof(k.fee_document) = 'array' then k.fee_document else '[]' end
      ) as element
      where jsonb_typeof(k.fee_document) = 'array' and k.fallback is null
    ) as found
    offset 0`;

/**
 * The fees of a fill `k`, one line each: a currency (or null), and an amount as text. What can't be read is a line whose
 * amount is no decimal (`?` where there is none), so that it is counted and not lost.
 *
 * In this order, of each item:
 * - One fee: an object with any of the names above. A `currency` that is no name, or none, makes it unnamed. In `feedata`
 *   the columns stand in for a missing amount; in `fees` it is unreadable. A decimal under another name
 *   (`{"cost": 0.1, "USDT": 0.2}`) may be a second fee or the same: unreadable.
 * - `fee` or `feeamount`, unnamed, where they are, whatever else `feedata` may be (`{"tier": 1}` is no currency).
 * - A map: each name of any other object is a currency.
 * - An amount, unnamed: a number or text. In a list it may be anything: unreadable, as what is no object there.
 */
export const feeLines = sql`
  select line.currency, line.amount
  from (${items}
  ) as i
  cross join lateral (
    select
      case when is_fee and jsonb_typeof(item -> 'currency') in ('string', 'number') then item ->> 'currency' end as currency,
      case
        when is_fee then coalesce(
          item ->> 'cost', item ->> 'amount', item ->> 'fee', k.fallback, case when k.is_fees then '?' end
        )
        when k.fallback is not null then k.fallback
        when is_listed then case when not is_object or item = '{}' then '?' end
        when not is_object then item #>> '{}'
      end as amount
    union all
    select case when not is_fee then named.key end, case when is_fee then '?' else coalesce(named.value, '?') end
    from jsonb_each_text(case when is_object then item else '{}' end) as named
    where is_object and (is_fee or k.fallback is null)
      and (not is_fee or named.key <> all (${feeNames}) and ${isDecimal(sql`named.value`)})
  ) as line
  where line.amount is not null`;
