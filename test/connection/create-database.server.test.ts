import { expect, test } from 'vitest';
import { createDatabase as create } from '../../src/connection/create-database.ts';
import { openConnection } from '../../src/connection/open.ts';
import { createDatabase } from '../support/database.ts';

test('who may not create databases is given the statement that lets him; who may, makes it', async () => {
  await using db = await createDatabase(18, 'empty');
  const [role, made] = [`No "Maker" ${db.name}`, `Made by ${db.name}`];
  await db.sql`create role ${db.sql(role)} login`;
  try {
    await using connection = await openConnection(
      db.url.replace('postgres@', `${encodeURIComponent(role)}@`),
    );
    const grant = `alter role "No ""Maker"" ${db.name}" createdb`;
    await expect(create(connection, made)).rejects.toMatchObject({
      code: 'PRIVILEGE_MISSING',
      advice: expect.stringContaining(grant),
    });
    await db.sql.unsafe(grant);
    await create(connection, made, 'template0');
    await expect(create(connection, made)).rejects.toMatchObject({ sqlState: '42P04' });
  } finally {
    await db.sql`drop database if exists ${db.sql(made)}`;
    await db.sql`drop role ${db.sql(role)}`;
  }
});
