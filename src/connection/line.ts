import type { Socket } from 'node:net';
import type { OperationError } from './errors.ts';
import { closedAtOnce, openSocket, type Route } from './socket.ts';

/** The driver's own error says more; but it never answers a statement that it took in the moment of the loss. */
const lossPatienceMs = 200;

/** A cancel request that has not arrived by then will not. */
const cancelPatienceMs = 5_000;

/**
 * The sockets of one session: the one it lives on, and one more for each cancel request. They can be cut at any moment,
 * also while they connect; whatever waits for them then fails with the reason.
 */
export class Line {
  /** Never resolves; rejects with the reason when the line is cut. */
  readonly cutOff: Promise<never>;
  readonly #route: Route;
  readonly #sockets = new Set<Socket>();
  readonly #waiting = new Set<(fault: OperationError | undefined) => void>();
  #reject: (fault: OperationError) => void = () => {};
  #fault: OperationError | undefined;
  #state: 'new' | 'opened' | 'in use' = 'new';
  /** For messages: it says whether there was anybody at all. */
  #isAnswered = false;
  #isLost = false;

  constructor(route: Route) {
    this.#route = route;
    this.cutOff = new Promise<never>((_resolve, reject) => {
      this.#reject = reject;
    });
    // Whoever awaits it gets the reason; nobody may, at the moment.
    this.cutOff.catch(() => {});
  }

  /**
   * `work` as it ends, or the reason why the line was cut, or `toLost()` once it was lost and `work` has not ended. (Not by
   * a race with `cutOff`: a promise that never settles keeps all that ever waited for it, 40 a second of a canary.)
   */
  whileOpen<T>(work: PromiseLike<T>, toLost: () => OperationError): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const end = (fault: OperationError | undefined): void => reject(fault ?? toLost());
      this.#waiting.add(end);
      if (this.#fault !== undefined) end(this.#fault);
      work.then(resolve, reject).then(() => this.#waiting.delete(end));
    });
  }

  #endWaiting(fault?: OperationError): void {
    for (const end of this.#waiting) end(fault);
    this.#waiting.clear();
  }

  /** Why it was cut, if it was. */
  get fault(): OperationError | undefined {
    return this.#fault;
  }

  /** True when a connection has come about, whatever was said on it. */
  get isAnswered(): boolean {
    return this.#isAnswered;
  }

  /** True as soon as the session's own socket has failed or closed. */
  get isLost(): boolean {
    return this.#isLost;
  }

  /** From now on, further sockets are for cancel requests. */
  use(): void {
    this.#state = 'in use';
  }

  /**
   * For the driver. A second one before the session is there means that the first was closed: the driver would try for
   * ever, each time after a longer pause.
   */
  async open(): Promise<Socket> {
    if (this.#fault !== undefined) throw this.#fault;
    if (this.#state === 'opened') throw closedAtOnce(this.#route.endpoint);
    const isForCancel = this.#state === 'in use';
    if (!isForCancel) this.#state = 'opened';
    try {
      const socket = await openSocket(this.#route, (opened) => this.#track(opened, isForCancel));
      if (this.#fault !== undefined) throw this.#fault;
      return socket;
    } catch (cause) {
      throw this.#fault ?? cause;
    }
  }

  #track(socket: Socket, isForCancel: boolean): void {
    this.#sockets.add(socket);
    socket.once('connect', () => {
      this.#isAnswered = true;
    });
    // Between an error and the close that follows it, the driver would take another statement, and never answer it.
    const lose = (): void => {
      if (isForCancel || this.#isLost) return;
      this.#isLost = true;
      setTimeout(() => this.#endWaiting(), lossPatienceMs).unref();
    };
    socket.on('error', lose);
    socket.once('close', () => {
      lose();
      this.#sockets.delete(socket);
    });
    if (isForCancel) socket.setTimeout(cancelPatienceMs, () => socket.destroy());
  }

  /** Ends everything on it at once. Without a reason nothing waits any more. */
  cut(fault?: OperationError): void {
    if (fault !== undefined && this.#fault === undefined) {
      this.#fault = fault;
      this.#reject(fault);
      this.#endWaiting(fault);
    }
    // Not with the reason itself: the driver writes statement and parameters on whatever error it is given.
    for (const socket of this.#sockets) socket.destroy(fault && new Error(fault.message));
  }
}
