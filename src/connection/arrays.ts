/** Reads and writes PostgreSQL's arrays: `{1,NULL,"a \"b\"",{…}}`. */

/** `box` alone parts its elements otherwise. */
const boxType = 603;
const delimiterOf = (elementType: number): string => (elementType === boxType ? ';' : ',');

/** The values of an array, read by the type of its elements. */
export function parseArray(
  text: string,
  elementType: number,
  parse: (text: string) => unknown = (element) => element,
): unknown[] {
  const delimiter = delimiterOf(elementType);
  // Bounds that do not begin with 1 stand before it: [2:3]={a,b}
  let at = text.indexOf('{') + 1;

  const readQuoted = (): string => {
    let value = '';
    for (at++; at < text.length && text[at] !== '"'; at++) value += text[at] === '\\' ? text[++at] : text[at];
    at++;
    return value;
  };
  const readPlain = (): unknown => {
    const start = at;
    while (at < text.length && text[at] !== delimiter && text[at] !== '}') at++;
    const value = text.slice(start, at);
    return value.toUpperCase() === 'NULL' ? null : parse(value);
  };
  const readList = (): unknown[] => {
    const list: unknown[] = [];
    while (at < text.length && text[at] !== '}') {
      if (text[at] === '{') {
        at++;
        list.push(readList());
      } else list.push(text[at] === '"' ? parse(readQuoted()) : readPlain());
      if (text[at] === delimiter) at++;
    }
    at++;
    return list;
  };
  return readList();
}

/** An array as PostgreSQL reads it; every element is quoted, so none can be taken for another. */
export function serializeArray(
  values: readonly unknown[],
  elementType: number,
  serialize: (value: unknown) => unknown = String,
): string {
  const elements = values.map((value) => {
    if (value === null || value === undefined) return 'NULL';
    if (Array.isArray(value)) return serializeArray(value, elementType, serialize);
    return `"${String(serialize(value)).replace(/[\\"]/g, (found) => `\\${found}`)}"`;
  });
  return `{${elements.join(delimiterOf(elementType))}}`;
}
