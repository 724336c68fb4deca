import { expect, test } from 'vitest';
import { type ExpectedObject, formatCatalog } from '../../src/migrate/catalog/catalog-file.ts';
import { isPresent } from '../../src/migrate/presence.ts';

const column = (name: string, origin: Pick<ExpectedObject, 'migration' | 'madeBy'>): ExpectedObject => ({
  kind: 'column',
  table: 'orders',
  name,
  properties: { type: 'text', nullable: true },
  ...origin,
});
const live = [column('purpose', { migration: '' })];

test('a column that a file only changes was there before it, and shows nothing of it', () => {
  const changed = [column('purpose', { madeBy: '0000_first', migration: '0003_default' })];
  expect(isPresent(live, changed, '0003_default')).toBe(false);
});

test('a column that a file makes shows that something of it is there, also after a later file has changed it', () => {
  const made = [column('purpose', { migration: '0003_purpose' })];
  expect(isPresent(live, made, '0003_purpose')).toBe(true);
  expect(isPresent([], made, '0003_purpose')).toBe(false);
  const changed = [column('purpose', { madeBy: '0003_purpose', migration: '0004_default' })];
  expect(isPresent(live, changed, '0003_purpose')).toBe(true);
  expect(isPresent(live, changed, '0004_default')).toBe(false);
});

test('the catalog says who made what another file has changed', () => {
  const text = formatCatalog([column('purpose', { madeBy: '0003_purpose', migration: '0004_default' })]);
  expect(text).toContain('"madeBy": "0003_purpose", "migration": "0004_default"');
});
