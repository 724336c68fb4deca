/** What must never be, was seen. */
export class Broken extends Error {
  override readonly name = 'Broken';
  /** Only a command has said it, by how it ended; what the torture itself looks at was in order. */
  readonly isOnlySaid: boolean;

  constructor(message: string, { isOnlySaid = false }: { readonly isOnlySaid?: boolean } = {}) {
    super(message);
    this.isOnlySaid = isOnlySaid;
  }
}
