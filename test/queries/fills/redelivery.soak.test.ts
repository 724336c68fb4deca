import { test } from 'vitest';
import { redeliver } from '../../support/redelivery.ts';
import { hasTapes, needsTapes } from '../../support/tape.ts';

test.skipIf(!hasTapes)(
  `two processes insert the redelivered tape at once, three times over: each execution is stored once${needsTapes}`,
  () => redeliver(18, 2, 3),
);

test.skipIf(!hasTapes)(
  `four processes insert the redelivered tape at once, three times over: each execution is stored once${needsTapes}`,
  () => redeliver(15, 4, 3),
);
