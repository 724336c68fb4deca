import { hostname, userInfo } from 'node:os';

/** Who runs this command, on which machine. A container may run as a number that has no name. */
export function readOperator(): { readonly user: string; readonly host: string } {
  const host = hostname();
  try {
    return { user: userInfo().username, host };
  } catch {
    return { user: `uid ${process.getuid?.() ?? 'unknown'}`, host };
  }
}
