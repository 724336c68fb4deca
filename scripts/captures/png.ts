import { crc32, deflateSync, inflateSync } from 'node:zlib';

const signature = Buffer.from('89504e470d0a1a0a', 'hex');
/** A page has some colours, and their shades at the edges of letters: a step of 8 of 256 nobody sees. */
const shade = 8;
const mostColours = 256;

/**
 * A picture of a page in a third of the bytes: its pixels as numbers of at most 256 colours, and not as three bytes each.
 *
 * @throws Error where the picture is not as Chromium makes them, or has more colours than a page
 */
export function shrinkPng(png: Buffer): Buffer {
  const { width, height, depth, pixels } = readPixels(png);
  const palette = new Map<number, number>();
  const rows = Buffer.alloc(height * (1 + width));
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at += depth) {
      const colour = round(pixels[at]) * 65_536 + round(pixels[at + 1]) * 256 + round(pixels[at + 2]);
      const index = palette.get(colour) ?? palette.size;
      palette.set(colour, index);
      rows[y * (1 + width) + 1 + x] = index;
    }
  }
  if (palette.size > mostColours) throw new Error(`the picture has ${palette.size} colours`);
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 3], 8);
  const colours = Buffer.from(
    [...palette.keys()].flatMap((colour) => [colour >> 16, (colour >> 8) & 255, colour & 255]),
  );
  return Buffer.concat([
    signature,
    chunk('IHDR', head),
    chunk('PLTE', colours),
    chunk('IDAT', deflateSync(rows, { level: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

const round = (channel = 0): number => Math.min(255, Math.round(channel / shade) * shade);

interface Pixels {
  readonly width: number;
  readonly height: number;
  /** Bytes of a pixel. */
  readonly depth: number;
  readonly pixels: Buffer;
}

function readPixels(png: Buffer): Pixels {
  const [width, height] = [png.readUInt32BE(16), png.readUInt32BE(20)];
  const depth = { 2: 3, 6: 4 }[png[25] ?? 0];
  if (png[24] !== 8 || depth === undefined || png[28] !== 0)
    throw new Error('not a picture as Chromium makes them');
  const parts: Buffer[] = [];
  for (let at = 8; at < png.length; ) {
    const length = png.readUInt32BE(at);
    if (png.toString('latin1', at + 4, at + 8) === 'IDAT') parts.push(png.subarray(at + 8, at + 8 + length));
    at += 12 + length;
  }
  return { width, height, depth, pixels: unfilter(inflateSync(Buffer.concat(parts)), width * depth, depth) };
}

/** A row says how it was filtered: each byte is what it differs from its neighbours on the left and above. */
function unfilter(data: Buffer, rowBytes: number, depth: number): Buffer {
  const height = data.length / (1 + rowBytes);
  const pixels = Buffer.alloc(height * rowBytes);
  for (let y = 0; y < height; y++) {
    const filter = data[y * (1 + rowBytes)];
    for (let x = 0; x < rowBytes; x++) {
      const at = y * rowBytes + x;
      const left = x < depth ? 0 : (pixels[at - depth] ?? 0);
      const up = y === 0 ? 0 : (pixels[at - rowBytes] ?? 0);
      const corner = x < depth || y === 0 ? 0 : (pixels[at - rowBytes - depth] ?? 0);
      const guess = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter ?? 0] ?? 0;
      pixels[at] = (data[y * (1 + rowBytes) + 1 + x] ?? 0) + guess;
    }
  }
  return pixels;
}

/** Of the three, the one that is nearest to `left + up - corner`. */
function paeth(left: number, up: number, corner: number): number {
  const [toLeft, toUp, toCorner] = [
    Math.abs(up - corner),
    Math.abs(left - corner),
    Math.abs(left + up - 2 * corner),
  ];
  if (toLeft <= toUp && toLeft <= toCorner) return left;
  return toUp <= toCorner ? up : corner;
}

function chunk(name: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(name, 'latin1'), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}
