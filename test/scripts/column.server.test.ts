import { expect, test } from 'vitest';
import { createDatabase } from '../support/database.ts';
import { nextTag } from '../support/facts.ts';
import { oddities } from '../support/oddities.ts';
import { copyProject, drizzleKitTimeoutMs } from '../support/project-copy.ts';
import { serverVersions } from '../support/server.ts';

const script = `
import { drizzle } from 'drizzle-orm/postgres-js';
import { drizzle as drizzlePg } from 'drizzle-orm/node-postgres';
import { insertFills, listFills } from './src/queries/index.ts';

const url = process.env['DATABASE_URL'] ?? '';
const fill = { symbol: 'BTC/USD', price: '1', size: '2', timestamp: 1, sessionId: 'symbol' };
const db = drizzle(url);
const other = drizzlePg(url);
await insertFills(db, [{ ...fill, id: 'new 1', hops: 3, isHidden: true, tradeId: '1' }]);
await insertFills(other, [{ ...fill, id: 'new 2', hops: null, tradeId: '2' }]);
const refused = await insertFills(db, [{ ...fill, id: 'new 3', hops: 1.5 as number }]).catch((error) => error.message);
const fills = await listFills(db, { sessionId: 'symbol', symbol: 'BTC/USD' });
console.log(JSON.stringify({ refused, fills: fills.map(({ id, hops, isHidden }) => ({ id, hops, isHidden })) }));
await db.$client.end();
await other.$client.end();
`;

test.each(serverVersions)(
  'PostgreSQL %i: a new integer and a new boolean column of fills: generated, migrated, inserted, read, taken back',
  { timeout: drizzleKitTimeoutMs },
  async (version) => {
    await using copy = await copyProject();
    await copy.replace(
      'src/schema/fills.ts',
      "    feeData: jsonb('feedata'),",
      "    feeData: jsonb('feedata'),\n    hops: whole('hops'),\n    isHidden: flag('is_hidden').default(false),",
    );
    // By names of their own: the file may import some of them already.
    const fillsFile = await copy.read('src/schema/fills.ts');
    const imports = "import { boolean as flag, integer as whole } from 'drizzle-orm/pg-core';";
    await copy.write('src/schema/fills.ts', `${imports}\n${fillsFile}`);
    expect(await copy.run('scripts/generate.ts', ['hops_and_hidden'])).toMatchObject({ code: 0 });
    const tag = nextTag('hops_and_hidden');
    const file = await copy.read(`drizzle/${tag}.sql`);
    expect(file).toContain("call multi_pair_db.lock_briefly('fills');");

    await using live = await createDatabase(version, 'legacy');
    await live.sql.unsafe(oddities);
    const cli = (...args: string[]) => copy.run('src/cli/main.ts', [...args, '--url', live.url]);
    expect(await cli('migrate')).toMatchObject({ code: 0 });
    expect(await cli('verify')).toMatchObject({ code: 0 });
    await copy.write('insert.ts', script);
    const inserted = await copy.run('insert.ts', [], { DATABASE_URL: live.url });
    expect(inserted).toMatchObject({ code: 0 });
    expect(JSON.parse(inserted.output)).toEqual({
      refused: expect.stringContaining('row 0: hops must be an integer'),
      fills: expect.arrayContaining([
        { id: 'new 1', hops: 3, isHidden: true },
        // Nothing was said of it in the whole batch: the default of the column.
        { id: 'new 2', hops: null, isHidden: false },
      ]),
    });

    expect(await cli('rollback', tag)).toMatchObject({ code: 4 });
    expect(await cli('rollback', tag, '--accept-data-loss')).toMatchObject({ code: 0 });
    const [column] = await live.sql`
      select from pg_attribute where attrelid = 'fills'::regclass and attname = 'hops' and not attisdropped`;
    expect(column).toBeUndefined();
    expect(await live.sql`select id from fills where id like 'new%' order by id`).toEqual([
      { id: 'new 1' },
      { id: 'new 2' },
    ]);
  },
);
