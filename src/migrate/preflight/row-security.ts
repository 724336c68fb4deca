import type { Check } from './check.ts';

export const rowSecurity: Check = {
  id: 'row-security',
  why: 'rows that a policy hides from this role would be neither filled nor checked',
  look: async ({ connection, tables }) => {
    const rows = await connection.query<{ name: string }>(
      `select name from unnest($1::text[]) as t (name)
       where to_regclass(quote_ident(name)) is not null and row_security_active(to_regclass(quote_ident(name)))`,
      [tables],
    );
    if (rows.length === 0) return { level: 'ok', found: 'this role sees every row' };
    return {
      level: 'blocker',
      found: `row-level security hides rows of ${rows.map(({ name }) => name).join(', ')} from this role`,
      advice: 'Connect as the owner (without FORCE ROW LEVEL SECURITY), or as a role with BYPASSRLS.',
    };
  },
};
