// Servers that go silent, as a frozen one does: what comes in is taken, nothing more goes out, and the connections stay open.
import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net';

export interface SilentServer {
  readonly host: string;
  readonly port: number;
  /** Connections that were made to it. */
  readonly connections: number;
  close(): Promise<void>;
}

/** Accepts, sends `greeting`, and says nothing more. */
export function startSilentServer(greeting: Buffer = Buffer.alloc(0)): Promise<SilentServer> {
  return listen((socket) => {
    if (greeting.length > 0) socket.write(greeting);
    socket.resume();
  });
}

export interface SilencedServer extends SilentServer {
  /** Whether the words have been seen. */
  readonly silent: boolean;
}

/**
 * Goes between a client and a server until a client says `words`: from there on nothing passes any more, on any connection, and who has said
 * them gets what `instead` sends.
 */
export async function startSilencedServer(
  server: { readonly host: string; readonly port: number },
  words: string | RegExp | ((data: Buffer) => boolean),
  instead: (client: Socket) => void = () => {},
): Promise<SilencedServer> {
  let silent = false;
  const isSaid =
    typeof words === 'function'
      ? words
      : (data: Buffer) => {
          const text = data.toString('latin1');
          return typeof words === 'string' ? text.includes(words) : words.test(text);
        };
  const proxy = await listen((client) => {
    const upstream = connect(server.port, server.host);
    client.on('data', (data) => {
      if (!silent && isSaid(data)) {
        silent = true;
        instead(client);
      }
      if (!silent) upstream.write(data);
    });
    upstream.on('data', (data) => {
      if (!silent) client.write(data);
    });
    client.on('error', () => upstream.destroy());
    upstream.on('error', () => client.destroy());
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => {
      if (!silent) client.destroy();
    });
  });
  return {
    host: proxy.host,
    port: proxy.port,
    close: () => proxy.close(),
    get connections() {
      return proxy.connections;
    },
    get silent() {
      return silent;
    },
  };
}

async function listen(onConnection: (socket: Socket) => void): Promise<SilentServer> {
  const sockets = new Set<Socket>();
  let connections = 0;
  const server: Server = createServer((socket) => {
    connections++;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    onConnection(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    host: '127.0.0.1',
    port,
    get connections() {
      return connections;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
