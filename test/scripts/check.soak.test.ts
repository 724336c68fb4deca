import { expect, test } from 'vitest';
import { copyProject } from '../support/project-copy.ts';

test('after a schema change the checks and the tests in process are green, and nothing else was touched', async () => {
  await using copy = await copyProject();
  await copy.replace(
    'src/schema/sessions.ts',
    "    data: jsonb('data'),",
    "    data: jsonb('data'),\n    /** How often it was restarted. */\n    restarts: integer('restarts'),",
  );
  await copy.replace(
    'src/schema/orders.ts',
    "index('idx_orders_sessionid').on(t.sessionId),",
    "index('idx_orders_sessionid').on(t.sessionId),\n    index('idx_orders_exchange').on(t.exchange, t.timestamp),",
  );
  expect(await copy.npm('generate', '--', 'restarts_and_exchange')).toMatchObject({ code: 0 });
  expect(await copy.npm('check')).toMatchObject({ code: 0 });
  const tests = await copy.npm('test', '--', '--project', 'pglite');
  expect(tests.output).not.toMatch(/FAIL/);
  expect(tests).toMatchObject({ code: 0 });
});
