import type { Sight } from './command.ts';

/** Moments of the files, by the statements of whoever runs them. */
export const ofColumns: readonly Sight[] = [
  { name: 'the columns of sessions', statement: /^\s*do \$sessions\$/i, of: '001' },
  { name: 'the backfill', statement: /^\s*do \$backfill\$/i, of: '001' },
  { name: 'what is given back', statement: /^\s*do \$give_back\$/i, of: '001' },
  { name: 'the proof', statement: /call multi_pair_db\.prove/i },
  { name: 'the journal row', statement: /insert into "?multi_pair_db"?\."?migrations/i },
];
export const ofIndexes: readonly Sight[] = [
  { name: 'an index build', statement: /create (unique )?index concurrently/i, of: '002' },
];
export const ofUndo1: readonly Sight[] = [
  { name: 'the note of changes', statement: /^\s*do \$note_changes\$/i },
  { name: 'what is put aside', statement: /^\s*do \$put_aside\$/i },
  { name: 'the undo', statement: /^\s*do \$undo\$/i },
];
export const ofUndo2: readonly Sight[] = [
  { name: 'the journal row', statement: /call multi_pair_db\.forget/i },
  { name: 'a drop of an index', statement: /drop index concurrently/i },
];

/** What works on the tables, and must hold the lock of the migrations meanwhile, whoever runs it. */
export const needsLock: RegExp =
  /^\s*(do \$(sessions|orders|reordered_pairs|backfill|give_back|pair_index|note_changes|put_aside|undo)\$|(create (unique )?|drop )index concurrently)/i;
