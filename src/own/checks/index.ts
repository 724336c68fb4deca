import type { Check } from '../../migrate/preflight/check.ts';
import { backfill } from './backfill.ts';
import { constraints } from './constraints.ts';
import { duplicates } from './duplicate-fills.ts';
import { fillsOnConflict, fillsWithoutIdentity } from './fill-writers.ts';
import { olderPairs } from './older-pairs.ts';
import { otherTriggers } from './other-triggers.ts';

/** What `preflight` asks of these three tables, in the order in which an operator repairs. */
export const ownChecks: readonly Check[] = [
  olderPairs,
  duplicates,
  backfill,
  otherTriggers,
  constraints,
  fillsOnConflict,
  fillsWithoutIdentity,
];
