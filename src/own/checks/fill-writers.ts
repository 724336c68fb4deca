import { formatCount } from '../../connection/units.ts';
import { type Check, type CheckContext, count, hasTable, isPending } from '../../migrate/preflight/check.ts';
import {
  describeReach,
  describeStatements,
  grantHint,
  notKept,
  readStatements,
} from '../../migrate/preflight/statement-log.ts';

const builtBy = '0002_symbol_indexes';

/** Fills of before the unique index can be looked at; once it is there, it has spoken. */
const isAhead = (context: CheckContext): boolean => isPending(context, builtBy) && hasTable(context, 'fills');

const insertsFills = '\\minsert\\s+into\\s+("?\\w+"?\\.)?"?fills"?\\M';
/** ON CONFLICT with a target: what conflicts elsewhere is an error. Without one it lets every conflict pass. */
const namesTarget = '\\mon\\s+conflict\\s*(\\(|on\\s+constraint)';

export const fillsOnConflict: Check = {
  id: 'fills-on-conflict',
  why: 'ON CONFLICT (id) says nothing of the unique index to come: one duplicate under another id then fails its statement, and a chunk of 1,000 with it',
  look: async (context) => {
    if (!isAhead(context))
      return { level: 'skipped', found: 'the unique index of fills is not about to be built' };
    const log = await readStatements(context.connection, [insertsFills, namesTarget], 'running or idle');
    const details = describeStatements(log);
    if (details.length === 0) {
      return log.isKept
        ? { level: 'ok', found: 'no service writes fills with ON CONFLICT on the id alone' }
        : { level: 'skipped', found: `not checked beyond what sessions run right now: ${notKept}` };
    }
    return {
      level: 'warning',
      found: `${count(log.seen.length, 'statement')} writing fills with ON CONFLICT on a key, ${describeReach(log)}`,
      details,
      advice:
        `${log.seen.length > 0 ? 'Let these services say ON CONFLICT DO NOTHING without a target, or use insertFills, before 0002 runs.' : ''}${log.hidden > 0 ? grantHint : ''}`.trim(),
    };
  },
};

/** So many fills, the latest: an index serves them in that order. */
const latestFills = 10_000;
/** Up to so many, and up to this share of them, they are odd rows, as every live database has; above, a venue writes so. */
const oddFills = 10;
const oddShare = 0.001;

export const fillsWithoutIdentity: Check = {
  id: 'fills-without-identity',
  why: 'without the order and the venue’s own id, two real fills of one session at one moment, price and size are one to the unique index: it refuses the second',
  look: async (context) => {
    if (!isAhead(context))
      return { level: 'skipped', found: 'the unique index of fills is not about to be built' };
    const [row] = await context.connection.query<{ total: number; bare: number }>(
      `select count(*) as total, count(*) filter (where orderid is null and execid is null and tradeid is null) as bare
       from (
         select orderid, execid, tradeid
         from fills
         where "timestamp" is not null
         order by "timestamp" desc
         limit ${latestFills}
       ) as latest`,
    );
    const { total = 0, bare = 0 } = row ?? {};
    const found = `${formatCount(bare)} of the latest ${count(total, 'fill')} ${bare === 1 ? 'has' : 'have'} neither orderid nor execid nor tradeid`;
    if (bare <= Math.max(oddFills, total * oddShare)) return { level: 'ok', found };
    return {
      level: 'warning',
      found,
      advice:
        'Let who writes them store the venue’s id in execid (or tradeid, where it is a number) before 0002 runs. To see them: select * from fills where orderid is null and execid is null and tradeid is null order by "timestamp" desc limit 100',
    };
  },
};
