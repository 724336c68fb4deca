/**
 * Breaks a line between words, so that it is not wider than the terminal. What goes on below stands under the line's first
 * word, under what follows a label such as `what to do:`, or under the last of its columns. A word that is too long stays
 * whole; a command that is there to be copied (`next: …`) can be copied as it stands.
 */
export function wrapLine(line: string, columns: number): string[] {
  if (line.length <= columns) return [line];
  const lead = findLead(line, columns);
  const rest = line.slice(lead.length);
  if (lead === 'next: ') {
    const clauses = fill(lead, rest.matchAll(clause), columns);
    return clauses.flatMap((one) => (one.length <= columns ? [one] : wrapCommand(one, columns)));
  }
  return fill(lead, rest.matchAll(word), columns);
}

const word = /( *)(\S+)/g;
const clause = /( *)(\S.*?(?:[,;](?= )|$))/g;

/** What what goes on below stands under: the longest that leaves room beside it. */
function findLead(line: string, columns: number): string {
  const leads = [/^\s*(?:(?=[\w ]{1,16}:)\w+(?: \w+)*: +|-{1,2} )/, /^.*\S {2,}(?=\S)/, /^\s+/];
  for (const lead of leads) {
    const [found = ''] = lead.exec(line) ?? [];
    if (found !== '' && found.length <= columns * 0.6) return found;
  }
  return '';
}

function fill(lead: string, parts: Iterable<RegExpMatchArray>, columns: number): string[] {
  // What goes on of an SQL comment has to be one.
  const hang = lead.startsWith('-- ') ? lead : ' '.repeat(lead.length);
  const lines: string[] = [];
  let current = lead;
  let isEmpty = true;
  for (const [, gap = '', text = ''] of parts) {
    if (!isEmpty && current.length + gap.length + text.length > columns) {
      lines.push(current);
      current = hang + text;
    } else {
      current += gap + text;
    }
    isEmpty = false;
  }
  return [...lines, current];
}

/** A command goes on below as a shell has it. */
function wrapCommand(line: string, columns: number): string[] {
  const [, lead = '', isCommand] = /^( *(?:next: )?(?:then )?)(multi-pair-db )?/.exec(line) ?? [];
  const words = line.slice(lead.length).matchAll(word);
  if (isCommand === undefined) return fill(lead, words, columns);
  const lines = fill(lead, words, columns - ' \\'.length);
  return lines.map((one, at) => (at === lines.length - 1 ? one : `${one} \\`));
}

/** Each line of a text. */
export const wrapText = (text: string, columns: number): string =>
  text
    .split('\n')
    .flatMap((line) => wrapLine(line, columns))
    .join('\n');

/** What of a text fits into a line, cut between words. */
export function fitText(text: string, columns: number): string {
  if (text.length <= columns) return text;
  const start = text.slice(0, Math.max(0, columns - 2));
  const end = /\s/.test(text[start.length] ?? '') ? start.length : start.lastIndexOf(' ');
  return `${(end > columns / 2 ? start.slice(0, end) : start).trimEnd()} …`.slice(0, columns);
}
