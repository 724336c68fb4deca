/** `0 B`, `12 kB`, `3.4 MB`: powers of 1024, as PostgreSQL's pg_size_pretty has them. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = Math.min(units.length - 1, bytes < 1 ? 0 : Math.floor(Math.log(bytes) / Math.log(1024)));
  const value = bytes / 1024 ** power;
  return `${value < 10 && power > 0 ? value.toFixed(1) : Math.round(value)} ${units[power]}`;
}

/** `server_version_num` as it is spoken: 150018 is 15.18. */
export const formatVersion = (versionNumber: number): string =>
  `${Math.floor(versionNumber / 10_000)}.${versionNumber % 10_000}`;
