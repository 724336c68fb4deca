import type { RangeVar } from 'libpg-query';
import { quoteIdentifier } from '../../connection/identifiers.ts';
import type { LockedRelation, LockMode, TableLock } from '../project.ts';

/** From the weakest to the strongest, as PostgreSQL numbers them from 1. */
export const lockModes: readonly LockMode[] = [
  'ACCESS SHARE',
  'ROW SHARE',
  'ROW EXCLUSIVE',
  'SHARE UPDATE EXCLUSIVE',
  'SHARE',
  'SHARE ROW EXCLUSIVE',
  'EXCLUSIVE',
  'ACCESS EXCLUSIVE',
];

/** What it means for services. */
export const lockMeanings: Readonly<Record<LockMode, string>> = {
  'ACCESS SHARE': 'as any reader',
  'ROW SHARE': 'as SELECT FOR UPDATE',
  'ROW EXCLUSIVE': 'as any writer',
  'SHARE UPDATE EXCLUSIVE': 'reads and writes go on',
  SHARE: 'writers wait',
  'SHARE ROW EXCLUSIVE': 'writers wait',
  EXCLUSIVE: 'writers wait',
  'ACCESS EXCLUSIVE': 'everybody waits',
};

export const isStronger = (one: LockMode, other: LockMode): boolean =>
  lockModes.indexOf(one) > lockModes.indexOf(other);

/** The strongest of some; undefined where there is none. */
export const strongest = (modes: readonly LockMode[]): LockMode | undefined =>
  lockModes.findLast((mode) => modes.includes(mode));

/** A name as SQL wants it, from its parts. */
export const toQualifiedName = (parts: readonly string[]): string => parts.map(quoteIdentifier).join('.');

/** The name of a table as SQL wants it. */
export const toTableName = ({ schemaname, relname = '' }: RangeVar): string =>
  toQualifiedName([...(schemaname === undefined ? [] : [schemaname]), relname]);

export const lockOf = (table: RangeVar, mode: LockMode): TableLock => ({
  name: toTableName(table),
  on: 'itself',
  mode,
});

/** A lock on what only the catalog knows, and that need not be there. */
export const lockBeside = (name: string, on: LockedRelation, mode: LockMode): TableLock => ({
  name,
  on,
  mode,
  may: true,
});

/** A table, and its child tables where the statement does not say ONLY. */
export function lockTree(table: RangeVar, mode: LockMode): TableLock[] {
  const own = lockOf(table, mode);
  return table.inh === true ? [own, lockBeside(own.name, 'its child tables', mode)] : [own];
}

/** One for each relation: the strongest. Certain where one of that strength is. */
export function mergeLocks(locks: readonly TableLock[]): TableLock[] {
  const merged = new Map<string, TableLock>();
  for (const lock of locks) {
    const key = `${lock.on} ${lock.name}`;
    const held = merged.get(key);
    const isWeaker = held !== undefined && isStronger(held.mode, lock.mode);
    const isNoNews = held?.mode === lock.mode && held.may !== true;
    if (!isWeaker && !isNoNews) merged.set(key, lock);
  }
  return [...merged.values()].toSorted((a, b) => lockModes.indexOf(b.mode) - lockModes.indexOf(a.mode));
}

/** As a person reads it. */
const phrases: Readonly<Record<LockedRelation, (name: string) => string>> = {
  itself: (name) => name,
  'its table': (name) => `the table of ${name}`,
  'its child tables': (name) => `child tables of ${name}`,
  'its parent table': (name) => `the parent of ${name}`,
  'its default partition': (name) => `the default partition beside ${name}`,
  'tables that it refers to': (name) => `tables that ${name} refers to`,
  'tables that refer to it': (name) => `tables that refer to ${name}`,
  'tables that its query reads': (name) => `tables that the query of ${name} reads`,
};

/** `ACCESS EXCLUSIVE on a: everybody waits, for some milliseconds`; then what else is locked so that somebody waits. */
export function describeLocks(locks: readonly TableLock[], isQuick: boolean): string {
  const [first] = locks;
  if (first === undefined) return 'none on tables';
  const groups = lockModes.toReversed().flatMap((mode) => {
    const isFelt = isStronger(mode, 'SHARE UPDATE EXCLUSIVE');
    if (mode !== first.mode && !isFelt) return [];
    const same = locks.filter((lock) => lock.mode === mode);
    const certain = same.filter(({ may }) => may !== true);
    // Where nobody waits, what may be locked beside is not worth a line.
    const perhaps = same.filter((lock) => !certain.includes(lock) && (isFelt || certain.length === 0));
    if (certain.length + perhaps.length === 0) return [];
    const held = isFelt ? `, ${isQuick ? 'for some milliseconds' : 'for as long as it works'}` : '';
    const name = (one: TableLock): string => phrases[one.on](one.name);
    const names = [...certain.map(name), ...perhaps.map((one) => `perhaps ${name(one)}`)];
    return certain.length === 0
      ? [`perhaps ${mode} on ${perhaps.map(name).join(', ')}: ${lockMeanings[mode]}${held}`]
      : [`${mode} on ${names.join(', ')}: ${lockMeanings[mode]}${held}`];
  });
  return groups.join('; ');
}
