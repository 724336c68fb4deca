import { sql } from 'drizzle-orm';
import { getTableConfig } from 'drizzle-orm/pg-core';
import { fills } from '../../schema/fills.ts';
import { orders } from '../../schema/orders.ts';
import { sessions } from '../../schema/sessions.ts';
import type { CallOptions } from '../core/call.ts';
import type { Database } from '../core/database.ts';
import { defineCall } from '../core/define-call.ts';
import { DatabaseError, SchemaMismatchError } from '../core/errors.ts';
import { defineQuery } from '../core/query.ts';
import { expectedMigrations, expectedTriggers } from './expected.ts';

const text = (value: unknown): string => String(value);
const fields = {
  object: { expression: sql`object`, decode: text },
  fault: { expression: sql`fault`, decode: text },
};

/** What the database must have, as JSON. The journal is left out where this role can't read it. */
type Expected = { columns: string; indexes: string; triggers: string; migrations?: string | undefined };

// Names are looked up along the search path, as the queries themselves find their tables.
const query = defineQuery<Expected, typeof fields>({
  name: 'assertSchema',
  fields,
  statement: (given, columns) => sql`
    select ${columns()} from (
      select 1 as part, format('column %s.%s', e."table", e.name) as object,
             case when attname is null then 'is missing'
                  else format('is %s, not %s', format_type(atttypid, atttypmod), e.type) end as fault
      from jsonb_to_recordset(${given.columns}::text::jsonb) as e ("table" text, name text, type text)
      left join pg_attribute on attrelid = to_regclass(e."table") and attname = e.name and not attisdropped
      where attname is null or format_type(atttypid, atttypmod) <> e.type
      union all
      select 2, format('index %s of %s', e.name, e."table"),
             case when indexrelid is null then 'is missing'
                  when not indisvalid then 'is INVALID: a build of it has failed'
                  else 'is not unique' end
      from jsonb_to_recordset(${given.indexes}::text::jsonb) as e ("table" text, name text, "isUnique" boolean)
      left join (pg_index join pg_class on oid = indexrelid)
        on indrelid = to_regclass(e."table") and relname = e.name
      where indexrelid is null or not indisvalid or (e."isUnique" and not indisunique)
      union all
      select 3, format('trigger %s of %s', e.name, e."table"),
             case when tgname is null then 'is missing' when tgenabled = 'D' then 'is disabled'
                  else 'is not enabled always' end
      from jsonb_to_recordset(${given.triggers}::text::jsonb) as e ("table" text, name text)
      left join pg_trigger on tgrelid = to_regclass(e."table") and tgname = e.name
      where tgenabled is distinct from 'A'
      ${
        given.migrations &&
        sql`union all
      select 4, format('migration %s', e.tag), 'is not recorded as applied'
      from jsonb_to_recordset(${given.migrations}::text::jsonb) as e (tag text, "createdAtMs" bigint)
      where not exists (select from multi_pair_db.migrations where created_at = e."createdAtMs")`
      }
    ) as faults
    order by part, object`,
});

/** No such schema, no such table, no right to read it. */
const unreadable = ['3F000', '42P01', '42501'];

const startAssertSchema = defineCall<CallOptions>('assertSchema', 'primary', {});

/**
 * Says at a service's start whether this database is what this release of the package needs: every column with its type,
 * every index of the three tables there and valid, the triggers enabled, every migration in the journal. Otherwise it
 * throws, and the error names each thing that is missing and the command to run. One round trip, on the catalog alone:
 * no row of the tables is read, and no lock is taken that anybody waits for.
 *
 * The journal is passed over where the role may not read the schema `multi_pair_db`. How an index or a trigger is defined
 * is for `multi-pair-db verify` to say. Call it outside a transaction: where there is no journal, its statement fails
 * first, and is sent once more without that part.
 *
 * @example
 * import { drizzle } from 'drizzle-orm/postgres-js';
 *
 * const db = drizzle(process.env['DATABASE_URL'] ?? '');
 * await assertSchema(db); // SchemaMismatchError: … index idx_fills_unique_dedup of fills is INVALID …
 * @throws SchemaMismatchError, DatabaseError
 */
export async function assertSchema(db: Database, options: CallOptions = {}): Promise<void> {
  const faults = await findFaults(startAssertSchema(db, options));
  if (faults.length > 0) throw new SchemaMismatchError(faults);
}

async function findFaults(db: Database): Promise<string[]> {
  const expected = listExpected();
  const ask = async (values: Expected): Promise<string[]> =>
    (await query.list(db, values)).map(({ object, fault }) => `${object} ${fault}`);
  try {
    return await ask({ ...expected, migrations: JSON.stringify(expectedMigrations) });
  } catch (error) {
    if (!(error instanceof DatabaseError) || !unreadable.includes(error.sqlState ?? '')) throw error;
    const faults = await ask(expected);
    return error.sqlState === '42501'
      ? faults
      : [...faults, 'the journal multi_pair_db.migrations is missing'];
  }
}

function listExpected(): Expected {
  const tables = [sessions, orders, fills].map((table) => getTableConfig(table));
  return {
    columns: JSON.stringify(
      tables.flatMap(({ name, columns }) =>
        columns.map((column) => ({ table: name, name: column.name, type: column.getSQLType() })),
      ),
    ),
    indexes: JSON.stringify(
      tables.flatMap(({ name, indexes }) =>
        indexes.map(({ config }) => ({ table: name, name: config.name, isUnique: config.unique === true })),
      ),
    ),
    triggers: JSON.stringify(expectedTriggers),
  };
}
