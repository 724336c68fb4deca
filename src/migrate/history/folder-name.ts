import type { MigrationFile } from './folder.ts';

/**
 * The folder of a file in the layout of drizzle-kit 1.0, which knows a file by this name: its stamp in UTC, to the second,
 * and its own name without the number. `20261123000954_multi_pair_support` of `0001_multi_pair_support`.
 */
export function nameFolder({ tag, createdAtMs }: Pick<MigrationFile, 'tag' | 'createdAtMs'>): string {
  const stamp = new Date(createdAtMs).toISOString().slice(0, 19).replace(/\D/g, '');
  return `${stamp}_${tag.split('_').slice(1).join('_')}`;
}
