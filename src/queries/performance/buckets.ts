import { InvalidArgumentError } from '../core/errors.ts';

const bucketLengthsMs = { hour: 3_600_000, day: 86_400_000 } as const;
/** More than a year of hours. */
export const maxBuckets = 10_000;

/** The length of an hour or a day, which are those of UTC. */
export function checkBucket(bucket: 'hour' | 'day'): number {
  if (Object.hasOwn(bucketLengthsMs, bucket)) return bucketLengthsMs[bucket];
  throw new InvalidArgumentError("bucket must be 'hour' or 'day'");
}
