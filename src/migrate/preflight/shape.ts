import type { CatalogObject } from '../catalog/catalog.ts';
import type { ExpectedObject } from '../catalog/catalog-file.ts';
import { repairByHand } from '../catalog/repair.ts';
import { type Check, type CheckContext, count, hasTable, isPending } from './check.ts';

/** Above this size, 0000 leaves a missing index or foreign key to the operator: adding it in place holds up writers. */
const inPlaceBytes = 8 * 1024 * 1024;

export const shape: Check = {
  id: 'shape',
  why: 'the migrations change nothing that is not theirs: they refuse tables that are not what they expect',
  look: async (context) => {
    const faults = [
      ...(await listTablesElsewhere(context)),
      ...context.tables.flatMap((table) => listFaults(context, table)),
    ];
    const missing = await listMissingOnLargeTables(context);
    const absent = context.tables.filter((table) => !hasTable(context, table));
    if (faults.length + missing.length > 0) {
      return {
        level: 'blocker',
        found: `${count(faults.length + missing.length, 'difference')} from what the migrations expect`,
        details: [...faults, ...missing],
        advice:
          'Check that this is the right database and search_path. Give columns the expected type; run the statements named above one by one.',
      };
    }
    if (absent.length === context.tables.length)
      return { level: 'ok', found: 'none of the tables is there: they will be created' };
    if (absent.length > 0) {
      return {
        level: 'warning',
        found: `${absent.join(', ')} will be created beside tables that are there`,
        advice: 'Check that this is the right database and the right search_path.',
      };
    }
    return { level: 'ok', found: 'every table and column is what the migrations expect' };
  },
};

/** New tables go into the first schema of the search path: beside live ones in another schema they would hide them. */
async function listTablesElsewhere({ connection, tables }: CheckContext): Promise<string[]> {
  const rows = await connection.query<{ fault: string }>(
    `select format('%I is in schema %I, but new objects would go to %I', c.relname, n.nspname, current_schema()) as fault
     from unnest($1::text[]) as t (name)
     join pg_class as c on c.oid = to_regclass(quote_ident(t.name))
     join pg_namespace as n on n.oid = c.relnamespace
     where n.nspname is distinct from current_schema()
     order by c.relname`,
    [tables],
  );
  return rows.map(({ fault }) => fault);
}

function listFaults({ expected, live }: CheckContext, table: string): string[] {
  const own = live.filter((object) => object.table === table);
  const [found] = own.filter(({ kind }) => kind === 'table');
  if (found === undefined) return [];
  const kind = String(found.properties['kind']);
  if (!/^(unlogged )?table$/.test(kind)) return [`${table} is a ${kind}, not a table`];
  const hasKey = own.some(({ properties }) => properties['definition'] === 'PRIMARY KEY (id)');
  return [
    ...(hasKey ? [] : [`${table} has no primary key (id)`]),
    ...expected
      .filter((object) => object.kind === 'column' && object.table === table)
      .flatMap((column) => describeColumn(column, own, isGround(column))),
  ];
}

/** The ground adopts tables that are there, and so they have to be complete; later migrations add what they need. */
const isGround = ({ migration }: ExpectedObject): boolean => migration.startsWith('0000');

function describeColumn(
  wanted: ExpectedObject,
  own: readonly CatalogObject[],
  isRequired: boolean,
): string[] {
  const name = `${wanted.table}.${wanted.name}`;
  const type = String(wanted.properties['type']);
  const found = own.find((object) => object.kind === 'column' && object.name === wanted.name);
  if (found === undefined) return isRequired ? [`${name} (${type}) is missing`] : [];
  const isGenerated = String(found.properties['default']).startsWith('generated as');
  if (found.properties['type'] !== type)
    return [`${name} is ${String(found.properties['type'])}, not ${type}`];
  return isGenerated ? [`${name} is ${String(found.properties['default'])}, not a plain column`] : [];
}

async function listMissingOnLargeTables(context: CheckContext): Promise<string[]> {
  const missing = context.expected.filter(
    (wanted) =>
      isGround(wanted) &&
      isPending(context, wanted.migration) &&
      (wanted.kind === 'index' || (wanted.kind === 'constraint' && !wanted.name.endsWith('_pkey'))) &&
      hasTable(context, wanted.table) &&
      !context.live.some((object) => object.kind === wanted.kind && object.name === wanted.name),
  );
  if (missing.length === 0) return [];
  const large = await context.connection.query<{ name: string }>(
    `select name from unnest($1::text[]) as t (name) where pg_relation_size(to_regclass(quote_ident(name))) > $2::bigint`,
    [[...new Set(missing.map(({ table }) => table))], inPlaceBytes],
  );
  return missing
    .filter(({ table }) => large.some(({ name }) => name === table))
    .map((wanted) => `${wanted.name} is missing: ${repairByHand(wanted, undefined)}`);
}
