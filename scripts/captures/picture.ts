import type { Piece, Row } from './screen.ts';

const fontPixels = 14;
const linePixels = 20;
/** Of a monospace letter, in parts of its height: the widest of the usual fonts has 0.602. */
const letterWidth = 0.602;
const margin = 16;

/** Light and dark as the reader's system is: the colours of the report's page. */
const style = `
  svg { color-scheme: light dark; }
  rect { fill: #f6f7f9; stroke: #d8dce2; }
  text { fill: #1c2330; font: ${fontPixels}px ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; white-space: pre; }
  .bold { font-weight: 700; } .red { fill: #b3261e; } .green { fill: #14703c; } .yellow { fill: #8a5000; }
  @media (prefers-color-scheme: dark) {
    rect { fill: #14171c; stroke: #343b46; } text { fill: #e6e9ee; }
    .red { fill: #ff8a80; } .green { fill: #58c98a; } .yellow { fill: #f0b35c; }
  }`;

/**
 * A terminal of so many columns as an SVG, one line of text a row, so that its words can be found, copied and compared.
 *
 * @param title for who can't see it
 */
export function drawTerminal(rows: readonly Pick<Row, 'pieces'>[], columns: number, title: string): string {
  const width = Math.ceil(columns * fontPixels * letterWidth) + 2 * margin;
  const height = rows.length * linePixels + 2 * margin;
  const lines = rows.map(({ pieces }, at) => {
    const y = margin + at * linePixels + fontPixels;
    return `<text x="${margin}" y="${y}" xml:space="preserve">${pieces.map(draw).join('')}</text>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">`,
    `<title>${encode(title)}</title>`,
    `<style>${style}\n</style>`,
    `<rect x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="8"/>`,
    ...lines,
    '</svg>',
    '',
  ].join('\n');
}

function draw({ text, colour, isBold }: Piece): string {
  const names = [...(isBold === true ? ['bold'] : []), ...(colour === undefined ? [] : [colour])];
  return names.length === 0 ? encode(text) : `<tspan class="${names.join(' ')}">${encode(text)}</tspan>`;
}

/** The lines of text in such a picture. */
export const readPicture = (svg: string): string[] =>
  [...svg.matchAll(/^<text [^>]*>(.*)<\/text>$/gm)].map(([, line = '']) =>
    decode(line.replaceAll(/<[^>]+>/g, '')).trimEnd(),
  );

const encode = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
const decode = (text: string): string =>
  text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
