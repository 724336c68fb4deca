import { drivers, openServer } from '../support/handles.ts';
import { serverVersions } from '../support/server.ts';
import { assertSchemaSuite } from './suites/assert-schema.ts';
import { ordersSuite } from './suites/orders.ts';
import { pairsSuite } from './suites/pairs.ts';
import { saveOrdersSuite } from './suites/save-orders.ts';
import { saveSessionsSuite } from './suites/save-sessions.ts';
import { sessionsSuite } from './suites/sessions.ts';
import { settlementSuite } from './suites/settlement.ts';
import { describeVariants } from './suites/variants.ts';

for (const version of serverVersions) {
  for (const driver of drivers) {
    describeVariants(`PostgreSQL ${version}, ${driver}`, () => openServer(version, driver), [
      pairsSuite,
      ordersSuite,
      saveOrdersSuite,
      saveSessionsSuite,
      sessionsSuite,
      settlementSuite,
      assertSchemaSuite,
    ]);
  }
}
