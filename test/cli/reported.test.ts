import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { withReport } from '../../src/cli/reported.ts';
import { OperationError } from '../../src/connection/errors.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'multi-pair-db-reported-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const said: string[] = [];
const context = {
  url: 'postgres://ops:geheim@db.example.test/trading',
  release: '0.0.0',
  signal: new AbortController().signal,
  progress: {
    line: (text: string) => {
      said.push(text);
    },
    update: () => {},
    clear: () => {},
    share: undefined,
  },
};
const options = (notifyCommand?: string) => ({ reportFolder: folder, notifyCommand });
const readReport = async () => {
  const name = (await readdir(folder)).find((file) => file.endsWith('.json')) ?? '';
  return JSON.parse(await readFile(path.join(folder, name), 'utf8'));
};

test('a fault of ours ends the report, too, and says nothing that is secret', async () => {
  const work = withReport('migrate', context, options(), async (log) => {
    log.begin();
    expect(await readReport()).toMatchObject({ outcome: 'running' });
    throw new TypeError('nobody expected geheim');
  });
  await expect(work).rejects.toBeInstanceOf(TypeError);
  const report = await readReport();
  expect(report).toMatchObject({ outcome: 'failed', exitCode: 5, error: { code: 'STATEMENT_FAILED' } });
  expect(report.error.message).toContain('nobody expected');
  expect(JSON.stringify(report)).not.toContain('geheim');
});

test('what is refused leaves no report; who is to be notified is told of it', async () => {
  const told = path.join(folder, 'told');
  const refusal = new OperationError({ code: 'REFUSED', message: 'not on a Friday\nnever', advice: '' });
  const refused = withReport('migrate', context, options(`printenv | grep ^MULTI_PAIR_DB_ > '${told}'`), () =>
    Promise.reject(refusal),
  );
  await expect(refused).rejects.toBe(refusal);
  expect(await readdir(folder)).toEqual(['told']);
  const environment = (await readFile(told, 'utf8')).split('\n');
  expect(environment).toEqual(
    expect.arrayContaining([
      'MULTI_PAIR_DB_COMMAND=migrate',
      'MULTI_PAIR_DB_TARGET=db.example.test/trading',
      'MULTI_PAIR_DB_EXIT_CODE=4',
      'MULTI_PAIR_DB_MESSAGE=not on a Friday',
      'MULTI_PAIR_DB_REPORT=',
    ]),
  );
});

test('that nobody could be notified is said, and changes nothing', async () => {
  const work = async () => ({ exitCode: 0 as const, result: {}, text: 'done' });
  expect(await withReport('dedupe', context, options('exit 7'), work)).toMatchObject({ exitCode: 0 });
  expect(said).toContain('nobody may have been notified: it ended with exit code 7');
});
