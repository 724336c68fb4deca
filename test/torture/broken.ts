/** What must never be, was seen. */
export class Broken extends Error {
  override readonly name = 'Broken';
}
