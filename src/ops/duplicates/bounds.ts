import { OperationError } from '../../connection/errors.ts';

/** Which numbers an option takes, and which one it is where it is not given. Both the functions and the command line read it. */
export interface Bounds {
  readonly least: number;
  readonly most: number;
  readonly default: number;
}

/**
 * Gives back the number, or the default where there is none. What is out of bounds is refused and not clamped: who asks
 * for batches of 0 rows has made a mistake, and would not see it.
 *
 * @throws OperationError `USAGE`
 */
export function checkBounds(
  name: string,
  value: number | undefined,
  { least, most, default: standard }: Bounds,
): number {
  const number = value ?? standard;
  if (Number.isInteger(number) && number >= least && number <= most) return number;
  throw new OperationError({
    code: 'USAGE',
    message: `${name} must be an integer from ${least} to ${most}, and not ${number}`,
    advice: `Leave it out for ${standard}.`,
  });
}
