/** What a server calls an error; one wait may end in either of two. */
const sqlState = /\b(?=[A-Z\d]*\d)[A-Z\d]{5}\b/g;
/** Numbers, with what they are counted in: they differ from run to run. */
const measure =
  /(?<![\w-])\d[\d,.:-]*(?: (?:UTC|ms|s|min|h|B|kB|MB|GB|%|rows?|steps?|times?|probes?)(?![\w-]))?(?:Z(?!\w))?/g;

/**
 * The words of a screen, each once, without numbers and times, and wherever they stand: the same screen has the same
 * words in a terminal of any width, unless one of them was broken.
 */
export function wordsOf(lines: readonly string[]): Set<string> {
  const text = lines.map((line) => line.trim()).join(' ');
  const words = text.replaceAll(sqlState, '0').replaceAll(measure, '0').split(/\s+/);
  return new Set(
    words
      .map((word) => word.replaceAll(/\d+/g, '0').replaceAll(/^[(,;.]+|[),;.:]+$/g, ''))
      .filter((word) => /\p{L}/u.test(word)),
  );
}

/** What the one has and the other has not. */
export function listDifferences(narrow: readonly string[], wide: readonly string[]): string[] {
  const [ours, theirs] = [wordsOf(narrow), wordsOf(wide)];
  return [...ours].filter((word) => !theirs.has(word)).concat([...theirs].filter((word) => !ours.has(word)));
}
