import { majorOf } from './units.ts';

/** Limits of a role or host that would end long work half way; who lifts them puts them back at the end. */
export const timeLimits = [
  'statement_timeout',
  'lock_timeout',
  'idle_in_transaction_session_timeout',
  'transaction_timeout',
] as const;

/** Whether the server looks if its client is still there. Without it, it works on for one that has been killed. */
export const clientCheck = 'client_connection_check_interval';

const firstMajorWithTransactionTimeout = 17;

/** A statement that sets something. */
export interface SettingStatement {
  readonly sql: string;
  /** Not every platform knows the setting: a refusal is no fault. */
  readonly optional: boolean;
}

/** The statements that lift the time limits of a session and have the server look for its client ten times a second. */
export function liftLimits(versionNumber: number): SettingStatement[] {
  const known = timeLimits.filter(
    (name) => name !== 'transaction_timeout' || majorOf(versionNumber) >= firstMajorWithTransactionTimeout,
  );
  return [
    ...known.map((name) => ({ sql: `set ${name} = 0`, optional: false })),
    // Of a client that is gone nobody cancels what others wait for.
    { sql: `set ${clientCheck} = '100ms'`, optional: true },
  ];
}
