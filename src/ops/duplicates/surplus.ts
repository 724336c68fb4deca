import {
  identityColumns,
  identityNames,
  isIdentified,
  isProven,
  isSameFill,
  type KeptReason,
  keptReason,
  knowsMostFirst,
} from './identity.ts';

/** The executions that are stored more than once, as a table `repeated` of the parts of their keys and `copies`. */
export const repeated = `repeated as (
    select ${identityColumns}, count(*) as copies
    from fills
    where ${isIdentified}
    group by ${identityNames}
    having count(*) > 1
  )`;

/** Their rows; in the window `w`, the one that stays comes first. One pass, whatever the planner expects. */
export const members = `
  from (select *, ${identityColumns} from fills where ${isIdentified}) as f
  join repeated as r on ${isSameFill('f', 'r')}
  window w as (partition by ${identityNames.replaceAll('k', 'r.k')} order by ${knowsMostFirst})`;

const kept = (column: string): string => `first_value(f.${column}) over w`;
const surplus = (column: string): string => `f.${column}`;

/** Whether the row of `members` is proven to be the execution that stays. */
export const isMemberProven: string = isProven(kept, surplus);

/** A surplus row, the row that stays in its place, and why. */
export interface SurplusRow {
  readonly surplusId: string;
  readonly keptId: string;
  readonly reason: KeptReason;
  /** Whether the venue's own id proves that they are one execution. */
  readonly isProven: boolean;
}

export const surplusRows = `
  with ${repeated},
  member as (
    select f.id,
           row_number() over w as rank,
           first_value(f.id) over w as kept_id,
           ${keptReason(kept, surplus)} as reason,
           ${isMemberProven} as is_proven
    ${members}
  )
  select id as "surplusId", kept_id as "keptId", reason, is_proven as "isProven"
  from member
  where rank > 1`;
