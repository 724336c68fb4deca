import { openPglite } from '../support/handles.ts';
import { assertSchemaSuite } from './suites/assert-schema.ts';
import { ordersSuite } from './suites/orders.ts';
import { pairsSuite } from './suites/pairs.ts';
import { settlementSuite } from './suites/settlement.ts';
import { describeVariants } from './suites/variants.ts';

describeVariants('PGlite', openPglite, [pairsSuite, ordersSuite, settlementSuite, assertSchemaSuite]);
