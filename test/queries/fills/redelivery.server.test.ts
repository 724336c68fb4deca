import { test } from 'vitest';
import { redeliver } from '../../support/redelivery.ts';
import { hasTapes, needsTapes } from '../../support/tape.ts';

test.skipIf(!hasTapes)(
  `two processes insert the redelivered tape at once: each execution is stored once${needsTapes}`,
  () => redeliver(18, 2, 1),
);
