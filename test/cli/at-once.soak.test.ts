import { test } from 'vitest';
import { migrateAtOnce } from '../support/migrate-at-once.ts';
import { serverVersions } from '../support/server.ts';

test.each(serverVersions)(
  'PostgreSQL %i: twenty processes migrate at once: each ends with 0 or 4, and the work is done once',
  (version) => migrateAtOnce(version, 20),
);
