import { describe, expect, test } from 'vitest';
import { runCommand } from '../support/command.ts';
import { createDatabase } from '../support/database.ts';
import { serverVersions } from '../support/server.ts';

const explain = (url: string) => runCommand(['verify', '--explain', '--url', url]);

describe.each(serverVersions)('PostgreSQL %i', (version) => {
  test('verify --explain: the plans as things are, on a table that is worth an index', async () => {
    await using db = await createDatabase(version, 'migrated');
    await db.sql.unsafe(`
      insert into sessions (id, startedat, settlesession, settledcomplete, symbol)
      select n, extract(epoch from now()) * 1000 - n * 1000, n % 10 = 0, n % 20 = 0,
             case when n % 500 = 0 then 'BTC/USD' else 'ETH/USD' end
      from generate_series(1, 20000) as n`);
    await db.sql`vacuum analyze sessions`;
    const { exitCode, result, text } = await explain(db.url);
    expect(exitCode).toBe(0);
    expect(result).toMatchObject({
      verified: true,
      checkedRows: 20_000,
      findings: [],
      plans: [
        {
          name: 'settlement discovery',
          chosen: true,
          asked: [],
          plan: expect.stringMatching(
            /Index Scan( Backward)? using idx_sessions_settlement_discovery on sessions/,
          ),
        },
        {
          name: 'pair containment',
          chosen: true,
          asked: [],
          plan: expect.stringContaining('Bitmap Index Scan on idx_sessions_pairs_gin'),
        },
      ],
    });
    expect(text).toContain(
      'plan of pair containment: Bitmap Index Scan on idx_sessions_pairs_gin, chosen as things are',
    );
  });

  test('verify --explain: on an empty table, whether the index could serve, and what was asked', async () => {
    await using db = await createDatabase(version, 'migrated');
    const { exitCode, text } = await explain(db.url);
    expect(exitCode).toBe(0);
    // The query of settlement discovery leaves the planner nothing else.
    expect(text).toContain(
      'plan of settlement discovery: Index Scan on idx_sessions_settlement_discovery, chosen as things are',
    );
    expect(text).toMatch(
      /plan of pair containment: Bitmap Index Scan on idx_sessions_pairs_gin, with enable_seqscan,.* off: it serves/,
    );
  });

  test('verify --explain: an index that can not serve the query is a fault, whatever is turned off', async () => {
    await using db = await createDatabase(version, 'migrated');
    await db.sql.unsafe(`drop index idx_sessions_pairs_gin, idx_sessions_settlement_discovery`);
    await db.sql.unsafe(
      `create index idx_sessions_pairs_gin on sessions using gin (pairs) where pairs != '[]'`,
    );
    const { exitCode, result } = await explain(db.url);
    expect(exitCode).toBe(1);
    expect(result).toMatchObject({
      findings: expect.arrayContaining([
        expect.objectContaining({
          object: 'plan of pair containment',
          found: 'PostgreSQL cannot use that index',
        }),
        expect.objectContaining({
          object: 'plan of settlement discovery',
          found: 'not asked: idx_sessions_settlement_discovery is missing',
        }),
      ]),
    });
  });
});
