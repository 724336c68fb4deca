import { connect, createServer, type Socket } from 'node:net';

/** What a TCP endpoint that is no PostgreSQL server does with whoever connects. */
export type Manner = 'says nothing' | 'closes at once' | 'answers garbage' | 'lets in and says nothing';

export interface TestEndpoint extends AsyncDisposable {
  readonly port: number;
  /** How many have connected so far. */
  connections(): number;
}

/** AuthenticationOk and ReadyForQuery: the client believes that it is in. */
const letIn = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 0, 0x5a, 0, 0, 0, 5, 0x49]);
const sslRequestBytes = 8;

const manners: Record<Manner, (socket: Socket) => void> = {
  'says nothing': () => {},
  'closes at once': (socket) => {
    socket.end();
  },
  'answers garbage': (socket) => {
    socket.on('data', () => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'));
  },
  'lets in and says nothing': (socket) => {
    socket.on('data', (data) => {
      if (data.length === sslRequestBytes) socket.write('N');
      else if (data[0] === 0) socket.write(letIn);
    });
  },
};

/** Starts such an endpoint on a free port. Use it with `await using`. */
export async function startEndpoint(manner: Manner): Promise<TestEndpoint> {
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((socket) => {
    connections++;
    sockets.add(socket);
    socket.on('error', () => {});
    manners[manner](socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    port: address.port,
    connections: () => connections,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A line to a server. */
export interface TestLine extends AsyncDisposable {
  readonly port: number;
  /** It goes dead, as when a cable is pulled: nothing comes through, and nobody is told. */
  freeze(): void;
  /** What is on it ends, as it does when a network notices in the end; new connections come through. */
  cut(): void;
  /** Tells of what a client has sent, when it has been passed on. */
  onSent(listener: (sent: Buffer) => void): void;
  /** The client ports by which the server knows the sessions on it. */
  clientPorts(): number[];
}

export async function startLine(serverPort: number): Promise<TestLine> {
  const sockets = new Set<Socket>();
  const toServer = new Set<Socket>();
  const listeners: ((sent: Buffer) => void)[] = [];
  let isFrozen = false;
  const relay = createServer((near) => {
    near.on('error', () => {});
    sockets.add(near);
    if (isFrozen) return;
    const far = connect(serverPort, '127.0.0.1');
    far.on('error', () => {});
    sockets.add(far);
    toServer.add(far);
    near.on('data', (data) => {
      if (isFrozen) return;
      far.write(data);
      for (const listener of listeners) listener(data);
    });
    far.on('data', (data) => isFrozen || near.write(data));
    near.on('close', () => isFrozen || far.end());
    far.on('close', () => isFrozen || near.end());
  });
  await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve));
  const address = relay.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const destroyAll = (): void => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
    toServer.clear();
  };
  return {
    port: address.port,
    freeze: () => {
      isFrozen = true;
    },
    cut: () => {
      destroyAll();
      isFrozen = false;
    },
    onSent: (listener) => void listeners.push(listener),
    clientPorts: () => [...toServer].flatMap(({ localPort }) => localPort ?? []),
    [Symbol.asyncDispose]: async () => {
      destroyAll();
      await new Promise((resolve) => relay.close(resolve));
    },
  };
}
