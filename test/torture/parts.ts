/** Where the time of a run goes: milliseconds by part. A part may contain another one; then both count it. */
export class Parts {
  readonly #ms = new Map<string, number>();

  async time<T>(part: string, work: () => Promise<T>): Promise<T> {
    const beganMs = performance.now();
    try {
      return await work();
    } finally {
      this.#ms.set(part, (this.#ms.get(part) ?? 0) + performance.now() - beganMs);
    }
  }

  /** Seconds by part, the longest first. */
  seconds(): Record<string, number> {
    const sorted = [...this.#ms].sort(([, a], [, b]) => b - a);
    return Object.fromEntries(sorted.map(([part, ms]) => [part, Math.round(ms / 100) / 10]));
  }
}
