/**
 * What a screen says whatever the figures are: numbers, times, sizes, checksums and who it was are the same, and it does not
 * matter where a line was broken. Two screens of one shape tell the same.
 */
export const oneShape = (text: string): string =>
  text
    .replaceAll(/\b[0-9a-f]{64}\b/g, 'CHECKSUM')
    .replaceAll(/by \S+@\S+ \(role \w+\)/g, 'by WHO')
    .replaceAll(/\d+(?:[.,:]\d+)*/g, '#')
    .replaceAll(/# (?:ms|s|min|h)\b/g, '# t')
    .replaceAll(/(?:# t )+# t/g, '# t')
    .replaceAll(/# (?:B|kB|MB|GB)(?=[^\w]|$)/g, '# b')
    .replaceAll(/\s+/g, ' ')
    .trim();
