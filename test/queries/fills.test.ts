import { openPglite } from '../support/handles.ts';
import { insertFillsSuite } from './suites/insert-fills.ts';
import { describeVariants } from './suites/variants.ts';

describeVariants('PGlite', openPglite, [insertFillsSuite]);
