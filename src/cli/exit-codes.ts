/** What every command's exit codes mean, unless the command says it more exactly. */
export const exitCodes = {
  0: 'done, or nothing to say',
  1: 'the check found something',
  2: 'wrong usage',
  3: 'the database can’t be reached, or a privilege is missing',
  4: 'refused for safety',
  5: 'a statement failed, or the work was interrupted',
} as const;

export type ExitCode = keyof typeof exitCodes;

/** What each exit code means in one command, where it says more than `exitCodes`; null: it never ends so. */
export type OwnExitCodes = Partial<Record<ExitCode, string | null>>;

/** The paragraph at the end of `--help`. */
export function formatExitCodes(own: OwnExitCodes): string {
  const lines = Object.entries({ ...exitCodes, ...own }).flatMap(([code, meaning]) =>
    meaning === null ? [] : [`  ${code}  ${meaning}`],
  );
  return ['Exit codes:', ...lines].join('\n');
}
