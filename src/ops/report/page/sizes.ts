import { count, formatBytes } from '../../../connection/units.ts';
import type { RunReport } from '../report.ts';
import { type Html, html } from './html.ts';

/** How large the tables and their indexes are afterwards: each table with its own indexes, the largest first. */
export function describeSizes({ tables, indexes = [] }: RunReport): Html | undefined {
  if (tables === undefined) return undefined;
  return html`<h2>Tables and indexes afterwards</h2>
${tables.map(({ table, rows, sizeBytes }) => {
  const own = indexes.filter((index) => index.table === table);
  const facts = [
    ...(rows === undefined ? [] : [`about ${count(rows, 'row', 'rows')}`]),
    formatBytes(sizeBytes),
    ...(own.length === 0 ? [] : [`${formatBytes(sum(own))} in ${count(own.length, 'index', 'indexes')}`]),
  ];
  return html`<h3>${breakable(table)} <span class="quiet">${facts.join(', ')}</span></h3>
${
  own.length === 0
    ? undefined
    : html`<ul class="sizes">
${own.map(({ index, sizeBytes: size }) => html`<li><span>${breakable(index)}</span><span class="number">${formatBytes(size)}</span></li>`)}
</ul>`
}`;
})}`;
}

const sum = (sizes: readonly { readonly sizeBytes: number }[]): number =>
  sizes.reduce((total, { sizeBytes }) => total + sizeBytes, 0);

/** A long name is broken between its words, and not in one. */
const breakable = (name: string): Html => html`${name.split(/(?<=_)/).map((part) => html`${part}<wbr>`)}`;
