import { fillIdentityKeys } from '../../schema/fill-identity.ts';

/** `k1, k2, …`: what the statements of this folder call the parts of the key. */
const names = fillIdentityKeys.map((_, position) => `k${position + 1}`);

/** `coalesce(sessionid, '') as k1, …` */
export const identityColumns: string = fillIdentityKeys
  .map((key, position) => `${key} as ${names[position]}`)
  .join(', ');

/** `k1, k2, …`, to group by. */
export const identityNames: string = names.join(', ');

/** The venue's own id for the execution: the last part of the key, '' where there is none. */
export const venueIdName = `k${fillIdentityKeys.length}`;

/**
 * True where the venue's own id proves that two rows of one identity are one execution. Without it they may be two that
 * are alike: one taker order eats equal resting orders in one millisecond. An empty `execid` hides a `tradeid`.
 */
export const isProven = (kept: (column: string) => string, surplus: (column: string) => string): string =>
  `coalesce(${surplus(venueIdName)} <> '' or ${kept('tradeid')} = ${surplus('tradeid')}, false)`;

/** True for the rows that the index compares: null is never equal to null. */
export const isIdentified: string = fillIdentityKeys.map((key) => `(${key}) is not null`).join(' and ');

/** True where two rows that have `identityColumns` are one execution to the index. */
export const isSameFill = (left: string, right: string): string =>
  names.map((name) => `${left}.${name} = ${right}.${name}`).join(' and ');

/**
 * Of the rows of one execution, the one that knows most comes first: it has an execution id of its own, then it was
 * stored first, then the lowest id, byte by byte, so that every server chooses alike.
 */
export const knowsMostFirst = `(nullif(execid, '') is null), createdat nulls last, id collate "C"`;

/**
 * Why one row stays and another goes: the first of the rules above in which they differ. `column` gives the SQL of a
 * column of either row.
 */
export const keptReason = (kept: (column: string) => string, surplus: (column: string) => string): string =>
  `case
    when (nullif(${kept('execid')}, '') is null) <> (nullif(${surplus('execid')}, '') is null) then 'execution_id'
    when ${kept('createdat')} is distinct from ${surplus('createdat')} then 'stored_first'
    else 'lowest_id'
  end`;

/** Why one row of several is kept: it has an execution id, it was stored first, or nothing but its id is different. */
export type KeptReason = 'execution_id' | 'stored_first' | 'lowest_id';
