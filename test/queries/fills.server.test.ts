import { drivers, openServer } from '../support/handles.ts';
import { serverVersions } from '../support/server.ts';
import { fillsSuite } from './suites/fills.ts';
import { insertFillsSuite } from './suites/insert-fills.ts';
import { performanceSuite } from './suites/performance.ts';
import { pnlSuite } from './suites/pnl.ts';
import { describeVariants } from './suites/variants.ts';

for (const version of serverVersions) {
  for (const driver of drivers) {
    describeVariants(`PostgreSQL ${version}, ${driver}`, () => openServer(version, driver), [
      insertFillsSuite,
      fillsSuite,
      performanceSuite,
      pnlSuite,
    ]);
  }
}
