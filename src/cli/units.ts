const units = ['bytes', 'kB', 'MB', 'GB', 'TB'] as const;

/** As PostgreSQL's `pg_size_pretty` counts: 1 kB is 1024 bytes. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 10 * 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${Math.round(value)} ${units[unit]}`;
}

/** An instant in UTC, to the second. */
export const formatTime = (ms: number | null): string =>
  ms === null ? 'never' : `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
