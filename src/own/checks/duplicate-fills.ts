import { type Check, type CheckContext, count, hasTable } from '../../migrate/preflight/check.ts';
import { fillIdentityKeys } from '../../schema/fill-identity.ts';

const duplicatesQuery = `
select count(*) as groups, coalesce(sum(copies - 1), 0)::float8 as surplus
from (
  select count(*) as copies
  from fills
  where ${fillIdentityKeys.map((key) => `${key} is not null`).join('\n    and ')}
  group by ${fillIdentityKeys.join(', ')}
  having count(*) > 1
) as stored_twice`;

const uniqueIndex = 'idx_fills_unique_dedup';

export const duplicates: Check = {
  id: 'duplicate-fills',
  why: `${uniqueIndex} can’t be built while the same fill is stored twice`,
  look: async (context) => {
    if (!hasTable(context, 'fills')) return { level: 'skipped', found: 'there is no table fills yet' };
    if (isGuarded(context)) return { level: 'ok', found: `${uniqueIndex} is there, and lets none in` };
    const [row] = await context.connection.query<{ groups: number; surplus: number }>(duplicatesQuery);
    const { groups = 0, surplus = 0 } = row ?? {};
    if (groups === 0) return { level: 'ok', found: 'no fill is stored twice' };
    return {
      level: 'blocker',
      found: `${count(groups, 'fill')} stored more than once, ${count(surplus, 'row')} too many`,
      advice:
        '`multi-pair-db duplicates` lists them; `multi-pair-db dedupe` moves the surplus copies into an archive table, those without the venue’s id only with --without-venue-id.',
    };
  },
};

function isGuarded({ expected, live }: CheckContext): boolean {
  const wanted = expected.find(({ kind, name }) => kind === 'index' && name === uniqueIndex);
  const found = live.find(({ kind, name }) => kind === 'index' && name === uniqueIndex);
  return (
    wanted !== undefined &&
    found !== undefined &&
    Object.entries(wanted.properties).every(([key, value]) => found.properties[key] === value)
  );
}
