/**
 * Breaks the lines of a text between words, so that none is wider than the terminal; what goes on below stands under
 * its line's first word, or under what follows a label such as `what to do:`. A word that is too long stays whole, and so
 * does a line that is there to be copied (`next: …`) or has columns.
 */
export function wrapText(text: string, columns: number): string {
  return text
    .split('\n')
    .flatMap((line) => (line.length <= columns || isFixed(line) ? [line] : wrapLine(line, columns)))
    .join('\n');
}

const isFixed = (line: string): boolean => /^next: /.test(line) || /\S {2,}\S.* {2,}\S/.test(line.trim());

function wrapLine(line: string, columns: number): string[] {
  const lead = /^\s*(?:[\w ]{1,16}: +|- )?/.exec(line)?.[0] ?? '';
  // A label that leaves less than half of the line is none to stand under.
  const hang = ' '.repeat(lead.length <= columns / 2 ? lead.length : 0);
  const lines: string[] = [];
  let current = lead;
  let isEmpty = true;
  for (const word of line.slice(lead.length).split(' ')) {
    if (!isEmpty && current.length + 1 + word.length > columns) {
      lines.push(current);
      current = hang + word;
    } else {
      current += isEmpty ? word : ` ${word}`;
    }
    isEmpty = false;
  }
  return [...lines, current];
}
