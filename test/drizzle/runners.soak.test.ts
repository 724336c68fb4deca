import { afterAll, beforeAll, describe, test } from 'vitest';
import { walkThereAndBack } from '../support/runner-walk.ts';
import { createRunners, type Runners, runnerNames } from '../support/runners.ts';
import { serverVersions } from '../support/server.ts';

let runners: Runners;
beforeAll(async () => {
  runners = await createRunners();
});
afterAll(() => runners[Symbol.asyncDispose]());

/** Every assignment of three runners to three files: every order of one, of two and of three of them. */
const orders = runnerNames.flatMap((first) =>
  runnerNames.flatMap((second) => runnerNames.map((third) => [first, second, third] as const)),
);

describe.each(serverVersions)('PostgreSQL %i', (version) => {
  test.each(orders)('applied by %s, then %s, then %s, rolled back, and applied again', async (...order) => {
    await walkThereAndBack(runners, version, order);
  });
});
