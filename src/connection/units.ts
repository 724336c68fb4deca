/** `0 B`, `12 kB`, `3.4 MB`: powers of 1024, as PostgreSQL's pg_size_pretty has them. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = Math.min(units.length - 1, bytes < 1 ? 0 : Math.floor(Math.log(bytes) / Math.log(1024)));
  const value = bytes / 1024 ** power;
  return `${value < 10 && power > 0 ? value.toFixed(1) : Math.round(value)} ${units[power]}`;
}

/** `850 ms`, `42 s`, `7 min 5 s`, `2 h 3 min` */
export function formatDuration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3_600)} h ${Math.floor((seconds % 3_600) / 60)} min`;
}

/** A wait, to a tenth where tenths matter: `0.8 ms`, `12 ms`, `1.3 s`. */
export const formatWait = (ms: number): string =>
  ms >= 1_000 ? `${(ms / 1_000).toFixed(1)} s` : `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;

/** An instant in UTC, to the second. */
export const formatTime = (ms: number | null): string =>
  ms === null ? 'never' : `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`;

/** The time of day of an instant, UTC. */
export const formatClock = (ms: number): string => new Date(ms).toISOString().slice(11, 19);

/** `server_version_num` as it is spoken: 150018 is 15.18. */
export const formatVersion = (versionNumber: number): string =>
  `${majorOf(versionNumber)}.${versionNumber % 10_000}`;

/** The major version in a `server_version_num`: 15 of 150018. */
export const majorOf = (versionNumber: number): number => Math.floor(versionNumber / 10_000);

/** `1,234,567`. By hand: the first `toLocaleString` of a process loads locales for 15 ms, and every start would pay for them. */
export const formatCount = (count: number): string =>
  String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, ',');

/** `1 row`, `2,000 rows` */
export const count = (number: number, one: string, many: string): string =>
  `${formatCount(number)} ${number === 1 ? one : many}`;
