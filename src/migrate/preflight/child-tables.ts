import { type Check, count, isPending } from './check.ts';

interface Child {
  readonly parent: string;
  readonly child: string;
}

export const childTables: Check = {
  id: 'child-tables',
  why: 'triggers and indexes of a table do not reach the rows of the tables that inherit from it, though every query shows them',
  look: async (context) => {
    const { connection, tables, expected } = context;
    const rows = await connection.query<Child>(
      `select t.name as parent, i.inhrelid::regclass::text as child
       from unnest($1::text[]) as t (name)
       join pg_inherits as i on i.inhparent = to_regclass(quote_ident(t.name))
       join pg_class as c on c.oid = i.inhparent and c.relkind = 'r'
       union all
       select i.inhparent::regclass::text, t.name
       from unnest($1::text[]) as t (name)
       join pg_class as c on c.oid = to_regclass(quote_ident(t.name)) and c.relispartition
       join pg_inherits as i on i.inhrelid = c.oid
       order by 1, 2`,
      [tables],
    );
    if (rows.length === 0)
      return { level: 'ok', found: 'none of the tables has children, or is a partition' };
    // A file that gives a table triggers fills its rows by them: it would not come to an end over rows of a child table.
    const filled = expected
      .filter(({ kind, migration }) => kind === 'trigger' && isPending(context, migration))
      .map(({ table }) => table);
    const blocks = rows.some(({ parent, child }) => filled.includes(parent) || filled.includes(child));
    return {
      level: blocks ? 'blocker' : 'warning',
      found: `${count(rows.length, 'child table')} or partitions`.replace(
        /^1 .*/,
        'a child table or partition',
      ),
      details: rows.map(({ parent, child }) => `${child} is a child table or partition of ${parent}`),
      advice:
        'Move its rows into the table, or take it away for good: alter table child no inherit parent (of a partition: alter table parent detach partition child).',
    };
  },
};
