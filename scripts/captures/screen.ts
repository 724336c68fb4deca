/** How a piece of a line looks: what the command line uses of the terminal's colours, and nothing else. */
export interface Look {
  readonly colour?: 'red' | 'green' | 'yellow';
  readonly isBold?: boolean;
}

export interface Piece extends Look {
  readonly text: string;
}

/** A line of the screen, from left to right. */
export interface Row {
  readonly pieces: readonly Piece[];
  /** The terminal has broken the line before it, because it was too wide. */
  readonly isWrapped: boolean;
}

interface Cell {
  readonly character: string;
  readonly look: Look;
}

interface Line {
  readonly cells: Cell[];
  readonly isWrapped: boolean;
}

const looks: Readonly<Record<string, (look: Look) => Look>> = {
  '': () => ({}),
  0: () => ({}),
  1: (look) => ({ ...look, isBold: true }),
  22: ({ isBold: _, ...rest }) => rest,
  31: (look) => ({ ...look, colour: 'red' }),
  32: (look) => ({ ...look, colour: 'green' }),
  33: (look) => ({ ...look, colour: 'yellow' }),
  39: ({ colour: _, ...rest }) => rest,
};

/** One after the other: an escape sequence, a control character, or a character that is seen. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what a terminal is told by
const token = /\u001b\[([\d;]*)([A-Za-z])|([\r\n])|([^\u0000-\u001f\u007f])/uy;

/**
 * What one sees in the end of what a terminal was told, as if it were endlessly high. It knows what this program and
 * the terminal's driver write, and nothing else.
 *
 * @param columns where the terminal breaks a line
 * @throws Error at a sequence that it does not know: a picture is never wrong without a word
 */
export function readScreen(bytes: string, columns: number): Row[] {
  const lines: Line[] = [{ cells: [], isWrapped: false }];
  let row = 0;
  let column = 0;
  let look: Look = {};
  const enter = (isWrapped: boolean): void => {
    row++;
    lines[row] ??= { cells: [], isWrapped };
  };
  for (token.lastIndex = 0; token.lastIndex < bytes.length; ) {
    const at = token.lastIndex;
    const [, parameters = '', final, control, character] = token.exec(bytes) ?? [];
    const cells = lines[row]?.cells ?? [];
    if (final === 'm') {
      for (const code of parameters.split(';')) look = (looks[code] ?? refuse(bytes, at))(look);
    } else if (final === 'K' && parameters === '2') cells.length = 0;
    else if (control === '\r') column = 0;
    else if (control === '\n') enter(false);
    else if (character !== undefined) {
      // A terminal breaks where the next character comes, and not before.
      if (column === columns) {
        enter(true);
        column = 0;
      }
      const line = lines[row]?.cells ?? [];
      while (line.length < column) line.push({ character: ' ', look: {} });
      line[column++] = { character, look };
    } else refuse(bytes, at);
  }
  return lines.map(({ cells, isWrapped }) => ({ pieces: join(cells), isWrapped })).slice(0, lengthOf(lines));
}

function refuse(bytes: string, at: number): never {
  throw new Error(`the terminal was told what no picture has: ${JSON.stringify(bytes.slice(at, at + 20))}`);
}

/** Without the empty lines at the end. */
const lengthOf = (lines: readonly Line[]): number => lines.findLastIndex(({ cells }) => cells.length > 0) + 1;

/** Neighbours that look alike are one piece. */
function join(cells: readonly Cell[]): Piece[] {
  const pieces: Piece[] = [];
  for (const { character, look } of cells) {
    const last = pieces.at(-1);
    if (last !== undefined && last.colour === look.colour && last.isBold === look.isBold) {
      pieces[pieces.length - 1] = { ...last, text: last.text + character };
    } else pieces.push({ ...look, text: character });
  }
  return pieces;
}

/** Only its letters. */
export const textOf = ({ pieces }: Pick<Row, 'pieces'>): string =>
  pieces
    .map(({ text }) => text)
    .join('')
    .trimEnd();
