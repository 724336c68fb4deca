import { quoteIdentifier } from '../../src/connection/identifiers.ts';

/** Strings, dollar-quoted texts and quoted identifiers: what stands in them is kept as it is. */
const quoted = /'(?:''|[^'])*'|\$(\w*)\$[\s\S]*?\$\1\$|"(?:""|[^"])*"/g;

/** A statement of drizzle-kit as the files of this folder are written: lower case, no quotes that are not needed. */
export function toPlainSql(sql: string): string {
  let plain = '';
  let end = 0;
  for (const match of sql.matchAll(quoted)) {
    plain += sql.slice(end, match.index).toLowerCase();
    const [text] = match;
    plain += text.startsWith('"') ? quoteIdentifier(text.slice(1, -1).replaceAll('""', '"')) : text;
    end = match.index + text.length;
  }
  plain += sql.slice(end).toLowerCase();
  return plain.replaceAll('public.', '').replace(/\n\t/g, '\n  ').trim().replace(/;$/, '');
}

/** `"venues"` and `"public"."venues"` of a statement of drizzle-kit, as a plain name. */
export const toName = (quotedName: string): string =>
  (/"((?:""|[^"])*)"$/.exec(quotedName)?.[1] ?? quotedName).replaceAll('""', '"');
