/** A row that a service has sent: of which kind, its id, and which of its versions. */
export interface Write {
  readonly kind: string;
  readonly id: string;
  readonly version: number;
}

interface Entry {
  /** What the database has acknowledged last; undefined: nothing yet. */
  acknowledged: number | undefined;
  /** Sent after that, and the connection died before an answer: committed or not, nobody knows. */
  open: number[];
}

/** Versions by id, as they are stored. */
export type Stored = ReadonlyMap<string, number>;

/** What is in the database, as the services know it: the truth that no fault may change. */
export class Ledger {
  readonly #kinds = new Map<string, Map<string, Entry>>();
  /** Ids that were acknowledged at least once, to choose from. */
  readonly #ids = new Map<string, string[]>();

  /** Before a statement is sent. */
  send(writes: readonly Write[]): void {
    for (const { kind, id, version } of writes) {
      const entry = this.#of(kind).get(id);
      if (entry === undefined) this.#of(kind).set(id, { acknowledged: undefined, open: [version] });
      else entry.open.push(version);
    }
  }

  /** The database has said that they are committed. */
  acknowledge(writes: readonly Write[]): void {
    for (const { kind, id, version } of writes) {
      if (this.#of(kind).get(id)?.acknowledged === undefined) this.#idsOf(kind).push(id);
      this.#of(kind).set(id, { acknowledged: version, open: [] });
    }
  }

  /** The database has said that they are not. */
  refuse(writes: readonly Write[]): void {
    for (const { kind, id, version } of writes) {
      const entry = this.#of(kind).get(id);
      if (entry === undefined) continue;
      entry.open = entry.open.filter((sent) => sent !== version);
      if (entry.acknowledged === undefined && entry.open.length === 0) this.#of(kind).delete(id);
    }
  }

  /** Some id that is certainly stored; undefined where chance has met none. */
  pick(kind: string, random: number): string | undefined {
    const ids = this.#idsOf(kind);
    const id = ids[Math.floor(random * ids.length)];
    return id !== undefined && this.version(kind, id) !== undefined ? id : undefined;
  }

  /** The version that is certainly stored. */
  version(kind: string, id: string): number | undefined {
    const entry = this.#of(kind).get(id);
    return entry?.open.length === 0 ? entry.acknowledged : undefined;
  }

  copy(): Ledger {
    const ledger = new Ledger();
    for (const [kind, entries] of this.#kinds)
      for (const [id, { acknowledged, open }] of entries) {
        ledger.#of(kind).set(id, { acknowledged, open: [...open] });
        if (acknowledged !== undefined) ledger.#idsOf(kind).push(id);
      }
    return ledger;
  }

  /** What of the stored rows of a kind is not as it must be, in words. */
  compare(kind: string, stored: Stored): string[] {
    const entries = this.#of(kind);
    const problems = [...entries].flatMap(([id, { acknowledged, open }]) => {
      const found = stored.get(id);
      if (found === acknowledged || (found !== undefined && open.includes(found))) return [];
      return found === undefined
        ? [`${kind} ${id} is lost: version ${acknowledged} was committed`]
        : [`${kind} ${id} is at version ${found}; what was committed last is ${acknowledged ?? 'nothing'}`];
    });
    const strange = [...stored.keys()].filter((id) => !entries.has(id));
    return [...problems, ...strange.map((id) => `${kind} ${id} is there, and no service has committed it`)];
  }

  /** What is missing or too old in a copy that may have been made later. */
  compareLater(kind: string, stored: Stored): string[] {
    return [...this.#of(kind)].flatMap(([id, { acknowledged }]) => {
      const found = stored.get(id);
      if (acknowledged === undefined || (found !== undefined && found >= acknowledged)) return [];
      return [
        `${kind} ${id} is ${found === undefined ? 'missing' : `at ${found}`}; ${acknowledged} was committed`,
      ];
    });
  }

  /** What was found is the truth from now on: what was open is decided. */
  settle(kind: string, stored: Stored): void {
    for (const [id, { acknowledged, open }] of this.#of(kind)) {
      if (open.length === 0) continue;
      const version = stored.get(id);
      if (version === undefined) this.#of(kind).delete(id);
      else {
        if (acknowledged === undefined) this.#idsOf(kind).push(id);
        this.#of(kind).set(id, { acknowledged: version, open: [] });
      }
    }
  }

  #of(kind: string): Map<string, Entry> {
    return getOrMake(this.#kinds, kind, () => new Map());
  }

  #idsOf(kind: string): string[] {
    return getOrMake(this.#ids, kind, () => []);
  }
}

function getOrMake<T>(map: Map<string, T>, key: string, make: () => T): T {
  const found = map.get(key) ?? make();
  map.set(key, found);
  return found;
}
