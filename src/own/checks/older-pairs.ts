import { type Check, count } from '../../migrate/preflight/check.ts';
import { isNoPairList } from '../row-rules.ts';

export const olderPairs: Check = {
  id: 'pairs-of-older-attempt',
  why: 'pairs will be an array of strings, or be refused; what is anything else would have to be guessed',
  look: async ({ connection, live }) => {
    const pairs = live.find((object) => object.table === 'sessions' && object.name === 'pairs');
    if (pairs?.properties['type'] !== 'jsonb')
      return { level: 'skipped', found: 'there is no column sessions.pairs of type jsonb yet' };
    const [row] = await connection.query<{ bad: number }>(
      `select count(*) as bad from sessions where ${notRepairable}`,
    );
    if (row?.bad === 0)
      return { level: 'ok', found: 'every value of sessions.pairs can be kept or put right' };
    return {
      level: 'blocker',
      found: `${count(row?.bad ?? 0, 'session')} with pairs that are no array of strings`,
      advice: `Set pairs of these sessions to an array of strings, or to null: select id from sessions where ${notRepairable}`,
    };
  },
};

/** What 0001 refuses. {}, a lone string, and nulls say nothing: it puts them right. */
const notRepairable = `pairs <> '{}' and jsonb_typeof(pairs) not in ('string', 'null') and ${isNoPairList}`;
