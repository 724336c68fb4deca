import { backup } from './backup.ts';
import type { CliCommand } from './command.ts';
import { dedupe } from './dedupe.ts';
import { duplicates } from './duplicates.ts';
import { indexes } from './indexes.ts';
import { maintain } from './maintain.ts';
import { migrate } from './migrate.ts';
import { pause } from './pause.ts';
import { preflight } from './preflight.ts';
import { rehearse } from './rehearse.ts';
import { restore } from './restore.ts';
import { resume } from './resume.ts';
import { rollback } from './rollback.ts';
import { status } from './status.ts';
import { verify } from './verify.ts';

/** Every command, in the order in which an operator needs them. */
export const commands: readonly CliCommand[] = [
  status,
  preflight,
  rehearse,
  migrate,
  pause,
  resume,
  verify,
  rollback,
  backup,
  restore,
  duplicates,
  dedupe,
  indexes,
  maintain,
];
