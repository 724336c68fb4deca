import { openPglite } from '../support/handles.ts';
import { assertSchemaSuite } from './suites/assert-schema.ts';
import { ordersSuite } from './suites/orders.ts';
import { pairsSuite } from './suites/pairs.ts';
import { saveOrdersSuite } from './suites/save-orders.ts';
import { saveSessionsSuite } from './suites/save-sessions.ts';
import { sessionsSuite } from './suites/sessions.ts';
import { settlementSuite } from './suites/settlement.ts';
import { describeVariants } from './suites/variants.ts';

describeVariants('PGlite', openPglite, [
  pairsSuite,
  ordersSuite,
  saveOrdersSuite,
  saveSessionsSuite,
  sessionsSuite,
  settlementSuite,
  assertSchemaSuite,
]);
