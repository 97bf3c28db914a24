// A link to a server that can be slow, or go dead without a word: a TCP proxy that passes so many bytes a second towards the client, over
// all its connections together, or nothing at all while the sockets stay open.
import { connect, createServer, type Socket } from 'node:net';
import { once } from 'node:events';

export interface SlowLink {
  readonly port: number;
  /** Bytes a second towards the client; Infinity: as they come. */
  rate: number;
  /** Nothing passes any more, in either direction, and nobody is told. */
  dead: boolean;
  close(): Promise<void>;
}

const tickMs = 20;

export async function openSlowLink(target: { readonly host: string; readonly port: number }): Promise<SlowLink> {
  const sockets = new Set<Socket>();
  /** Without data: the end of the connection, behind all that the server has said. */
  const waiting: { readonly to: Socket; readonly from: Socket; data: Buffer | undefined }[] = [];
  let credit = 0;
  const server = createServer((client) => {
    const upstream = connect(target.port, target.host);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => {}); // the other end is told by `close`
      socket.on('close', () => sockets.delete(socket));
    }
    client.on('close', () => {
      if (!link.dead) upstream.destroy();
    });
    upstream.on('close', () => waiting.push({ to: client, from: upstream, data: undefined }));
    client.on('data', (data: Buffer) => {
      if (!link.dead) upstream.write(data);
    });
    upstream.on('data', (data: Buffer) => {
      waiting.push({ to: client, from: upstream, data });
      upstream.pause();
    });
  });
  const timer = setInterval(() => {
    if (link.dead) return;
    credit = Number.isFinite(link.rate) ? Math.min(link.rate, credit + (link.rate * tickMs) / 1000) : Infinity;
    while (waiting.length > 0 && credit > 0) {
      const next = waiting[0]!;
      if (next.data === undefined) {
        next.to.destroySoon();
        waiting.shift();
        continue;
      }
      const now = next.data.subarray(0, credit);
      credit -= now.length;
      if (!next.to.destroyed) next.to.write(now);
      next.data = next.data.subarray(now.length);
      if (next.data.length > 0) break;
      waiting.shift();
      next.from.resume();
    }
  }, tickMs);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the link has no port');
  const link: SlowLink = {
    port: address.port,
    rate: Infinity,
    dead: false,
    async close() {
      clearInterval(timer);
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
  return link;
}
