import { migrationOf } from '../../support/facts.ts';
import type { Change, Sabotage } from './sabotage.ts';

const program = 'dist/cli/main.js';
const fileOf = (name: string): string => `drizzle/${migrationOf(name).tag}.sql`;
const downOf = (name: string): string => `drizzle/down/${migrationOf(name).tag}.sql`;
const inFile = (name: string, from: string, to: string): Change => ({ file: fileOf(name), from, to });

const breaksOff = ['client killed', 'server killed', 'backends terminated', 'statements cancelled'];
const thereAndBack = ['migrate', 'rollback 002', 'rollback 001'];
/** The columns alone: no index is built. */
const columnsThereAndBack = ['migrate 001', 'rollback 001'];

const asks = "    exit when pg_try_advisory_xact_lock(hashtextextended('multi-pair-db', 0));";
const refuses =
  "      raise exception '%: another migration of this database is running; nothing was changed'";

/** Each of them is a way in which such a package has been, or could be, wrong. */
export const sabotages: readonly Sabotage[] = [
  {
    name: 'journal-first',
    plants: 'the engine writes the journal row before the work, and not after it',
    changes: [
      {
        file: program,
        from: 'own: [begin, ...statements, record, commit],',
        to: 'own: file.tag.startsWith("0000") ? [begin, ...statements, record, commit] : [begin, ...statements.slice(0, 2), begin, record, commit, ...statements.slice(2), commit],',
      },
    ],
    commands: thereAndBack,
    faults: breaksOff,
    at: 'an index build',
    shows: /the journal has \w+, and this is not there/,
    within: 12,
  },
  {
    name: 'proof-left-out',
    plants: 'an index that is INVALID is neither set aside nor seen by the proof',
    changes: [
      inFile('000', '  if serves is null then', '  if true then'),
      inFile('000', '  where e.found is distinct from e.wanted or not e.valid;', '  where false;'),
    ],
    commands: ['drizzle-kit 0.31', 'rollback 002'],
    // A build whose client is killed is done before the server notices.
    faults: ['server killed', 'backends terminated', 'statements cancelled'],
    at: 'an index build',
    shows: /(missing|left over) at \w+: indexes|this is not there: indexes/,
    within: 15,
  },
  {
    name: 'lock-not-taken',
    plants: 'a file does not take the lock of the migrations',
    changes: [
      // The first file asks for it once more, before there are procedures.
      inFile(
        '000',
        `${asks}\n    if try = 20 then\n${refuses}, file`,
        `    exit when true;\n    if try = 20 then\n${refuses}, file`,
      ),
      inFile('000', "  perform pg_advisory_lock(hashtextextended('multi-pair-db', 0));", '  perform 1;'),
    ],
    commands: ['psql', 'psql, undo 002', 'psql, undo 001'],
    faults: ['client stopped', 'an idle transaction'],
    shows: /without the lock of the migrations/,
    within: 6,
  },
  {
    name: 'batch-skipped',
    plants: 'the backfill goes over the table once, passes over some rows, and proves nothing',
    changes: [
      inFile('001', 'for pass in 1..10 loop', 'for pass in 1..1 loop'),
      inFile(
        '001',
        'stale_ids[taken_rows + 1 : taken_rows + fill_rows]',
        'stale_ids[taken_rows + 4 : taken_rows + fill_rows]',
      ),
      inFile('001', '  if left_over > 0 then', '  if false then'),
    ],
    commands: columnsThereAndBack,
    faults: ['client stopped', 'an idle transaction'],
    shows: /rows are without pairs/,
    within: 4,
  },
  {
    name: 'undo-forgets',
    plants: 'the undo of 001 puts no pairs aside',
    changes: [
      {
        file: downOf('001'),
        from: 'from sessions\n    where pairs <> case',
        to: 'from sessions\n    where false and pairs <> case',
      },
    ],
    commands: columnsThereAndBack,
    faults: ['statements cancelled', 'client interrupted'],
    shows: /pairs .* (is|are) /,
    within: 8,
  },
  {
    name: 'undo-misses-changes',
    plants: 'the undo of 001 does not see what services write between its two locks',
    changes: [{ file: downOf('001'), from: '    where id is not null;\n', to: '    where false;\n' }],
    commands: columnsThereAndBack,
    faults: ['client stopped', 'line cut half open'],
    at: 'what is put aside',
    shows: /pairs .* (is|are) /,
    within: 16,
  },
  {
    name: 'waits-in-the-queue',
    plants: 'a lock against everybody is waited for, and everybody waits behind',
    changes: [
      inFile(
        '000',
        "      perform set_config('lock_timeout', '50ms', true);",
        "      perform set_config('lock_timeout', '60s', true);",
      ),
    ],
    commands: ['psql', 'psql, undo 002', 'psql, undo 001'],
    faults: ['an idle transaction', 'a long transaction', 'a prepared transaction'],
    shows: /waited \d+ ms for a lock/,
    within: 10,
  },
  {
    name: 'setting-left',
    plants: 'a setting of the database is changed for the time of the work',
    changes: [
      inFile(
        '001',
        "call multi_pair_db.expect_column('orders', 'pair_index', 'integer');",
        "call multi_pair_db.expect_column('orders', 'pair_index', 'integer');\n--> statement-breakpoint\ndo $set$ begin execute format('alter database %I set synchronous_commit = off', current_database()); end $set$;",
      ),
      inFile(
        '001',
        "call multi_pair_db.prove('0001_multi_pair_support');",
        "do $reset$ begin execute format('alter database %I reset synchronous_commit', current_database()); end $reset$;\n--> statement-breakpoint\ncall multi_pair_db.prove('0001_multi_pair_support');",
      ),
    ],
    commands: columnsThereAndBack,
    faults: breaksOff,
    at: 'the backfill',
    shows: /a setting is left/,
    within: 15,
  },
  {
    name: 'pause-ignored',
    plants: 'a file under a stock runner goes on while all runs are paused',
    changes: [
      inFile('000', '  from multi_pair_db.pause as p;', '  from multi_pair_db.pause as p where false;'),
    ],
    commands: ['migrate 001', 'psql', 'psql, undo 002', 'psql, undo 001'],
    faults: ['a pause', 'client stopped'],
    shows: /ended while all runs were paused/,
    within: 8,
  },
  {
    name: 'copy-without-archive',
    plants: 'dedupe deletes what it does not archive, and does not look',
    changes: [
      {
        file: program,
        from: 'archived_reason from moved\n',
        to: 'archived_reason from moved where archived_kept_id is null\n',
      },
      {
        file: program,
        from: 'if (deletedIds.length === archived && row2?.rows === 0)',
        to: 'if (true)',
      },
    ],
    commands: ['dedupe'],
    faults: ['client stopped'],
    shows: /rows of the first hour are not what they were/,
    within: 3,
  },
  {
    name: 'restore-in-two',
    plants: 'a restore commits before it has put back what it took away',
    changes: [
      {
        file: program,
        from: 'await runScript(job, transaction2);',
        to: 'await psql.ask("commit; begin;"); await runScript(job, transaction2);',
      },
    ],
    commands: ['restore'],
    faults: ['client killed', 'backends terminated', 'statements cancelled'],
    at: 'the copy',
    shows: /does not exist|is lost|are not what they were/,
    within: 12,
  },
  {
    name: 'door-left-closed',
    plants: 'a restore that is killed lets nobody in again',
    changes: [{ file: program, from: 'detached: true, atEnd })', to: 'detached: true, atEnd: [] })' }],
    commands: ['restore'],
    faults: ['client killed'],
    at: 'the copy',
    shows: /takes no connections/,
    within: 12,
  },
];
