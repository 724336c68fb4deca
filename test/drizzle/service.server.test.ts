import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openConnection } from '../../src/connection/open.ts';
import { applyMigrations, rollbackMigration, verifyDatabase } from '../../src/own/index.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { lastTag, tags } from '../support/facts.ts';
import {
  copyPackage,
  createServiceProject,
  type ServiceProject,
  serviceCommands,
} from '../support/service-project.ts';

const version = 18;
const kits = ['0.31', '1.0'] as const;
const own = '--config=drizzle.multi-pair-db.config.ts';

let services: Readonly<Record<(typeof kits)[number], ServiceProject>>;
beforeAll(async () => {
  await using built = await copyPackage();
  const [old, v1] = await Promise.all(kits.map((kit) => createServiceProject(kit, built)));
  if (old === undefined || v1 === undefined) throw new Error('no service');
  services = { '0.31': old, '1.0': v1 };
});
afterAll(() => Promise.all(Object.values(services).map((service) => service[Symbol.asyncDispose]())));

const listJournal = (db: TestDatabase) => db.sql`select * from multi_pair_db.migrations order by created_at`;

describe.each(kits)(
  'a service on drizzle-kit %s, with the configurations and commands of the docs',
  (kit) => {
    test('migrates ours, then generates and migrates its own table alone', async () => {
      await using db = await createDatabase(version, 'legacy');
      const service = services[kit];
      expect(serviceCommands.map(([name]) => name)).toEqual(['check', 'migrate', 'generate', 'migrate']);
      for (const command of serviceCommands) {
        const { code, output } = await service.kit(command, db.url);
        expect(code, `${command.join(' ')}: ${output}`).toBe(0);
      }
      const files = (await readdir(path.join(service.folder, 'drizzle'), { recursive: true })).filter(
        (file) => file.endsWith('.sql'),
      );
      expect(files).toHaveLength(1);
      const sql = await readFile(path.join(service.folder, 'drizzle', files[0] ?? ''), 'utf8');
      expect(sql.match(/create table "\w+"/gi)).toEqual(['CREATE TABLE "session_limits"']);
      expect((await service.kit(['generate'])).output).toContain('No schema changes, nothing to migrate');

      expect(await listJournal(db)).toHaveLength(tags.length);
      expect(await db.sql`select from session_limits`).toEqual([]);
      await using connection = await openConnection(db.url);
      expect(await verifyDatabase(connection)).toMatchObject({ verified: true });
    });
  },
);

test('the two take over from one another: each has nothing to do where the other has done it', async () => {
  await using db = await createDatabase(version, 'legacy');
  const migrate = async (kit: (typeof kits)[number]) => {
    expect(await services[kit].kit(['migrate', own], db.url)).toMatchObject({ code: 0 });
    const journal = await listJournal(db);
    expect(journal).toHaveLength(tags.length);
    return journal;
  };
  const journal = await migrate('1.0');
  expect(await migrate('0.31')).toEqual(journal);
  await using connection = await openConnection(db.url);
  await rollbackMigration(connection, lastTag, { acceptDataLoss: true });
  const again = await migrate('0.31');
  expect(await migrate('1.0')).toEqual(again);
  expect(await applyMigrations(connection)).toMatchObject({ applied: [], repaired: [] });
  expect(await verifyDatabase(connection)).toMatchObject({ verified: true, findings: [] });
});
