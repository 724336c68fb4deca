import { openPglite } from '../support/handles.ts';
import { fillsSuite } from './suites/fills.ts';
import { insertFillsSuite } from './suites/insert-fills.ts';
import { performanceSuite } from './suites/performance.ts';
import { pnlSuite } from './suites/pnl.ts';
import { describeVariants } from './suites/variants.ts';

describeVariants('PGlite', openPglite, [insertFillsSuite, fillsSuite, performanceSuite, pnlSuite]);
