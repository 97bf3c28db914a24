// A link to a server that can be led to another one, cut, and stalled in the middle of a packet: a TCP proxy whose address stays. What is
// stalled has got the first bytes of what the server says and then nothing more, while its sockets stay open; what is connected
// meanwhile passes.
import { connect, createServer, type Socket } from 'node:net';
import { once } from 'node:events';

export interface LinkTarget {
  readonly host: string;
  readonly port: number;
}

export interface SwitchedLink {
  readonly port: number;
  /** Of connections that are made from now on. */
  target: LinkTarget;
  /** All connections are reset. */
  cut(): void;
  /** Those that are open pass so many bytes more towards the client, and then none; what is kept back can be let through. */
  stall(bytes: number): Stalled;
  close(): Promise<void>;
}

export interface Stalled {
  /** Connections on which something is kept back. */
  readonly held: number;
  /** What was kept back, and all behind it. */
  resume(): void;
  /** Those connections are reset, in the middle of what they were told. */
  cut(): void;
}

interface Pair {
  readonly client: Socket;
  readonly upstream: Socket;
  /** Undefined: all passes. */
  left: number | undefined;
  kept: Buffer[];
}

export async function openSwitchedLink(first: LinkTarget): Promise<SwitchedLink> {
  const pairs = new Set<Pair>();
  const server = createServer((client) => {
    const upstream = connect(link.target.port, link.target.host);
    const pair: Pair = { client, upstream, left: undefined, kept: [] };
    pairs.add(pair);
    for (const socket of [client, upstream]) {
      socket.setNoDelay(true);
      socket.on('error', () => {}); // the other end is told by `close`
    }
    client.pipe(upstream, { end: false });
    upstream.on('data', (data) => pass(pair, data));
    client.on('drain', () => upstream.resume());
    client.on('close', () => {
      pairs.delete(pair);
      upstream.destroy();
    });
    // The silence of a link that is stalled hides that the server has gone, too.
    upstream.on('close', () => {
      if (pair.left === undefined) client.destroySoon();
    });
  });

  function pass(pair: Pair, data: Buffer): void {
    const { client, upstream, left } = pair;
    const now = left === undefined ? data : data.subarray(0, left);
    if (left !== undefined) {
      pair.left = left - now.length;
      if (now.length < data.length) pair.kept.push(data.subarray(now.length));
    }
    if (now.length > 0 && !client.write(now)) upstream.pause();
  }

  function reset(pair: Pair): void {
    pair.client.resetAndDestroy();
    pair.upstream.destroy();
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the link has no port');
  const link: SwitchedLink = {
    port: address.port,
    target: first,
    cut: () => pairs.forEach(reset),
    stall(bytes) {
      const stalled = [...pairs];
      for (const pair of stalled) pair.left = bytes;
      return {
        get held() {
          return stalled.filter(({ kept }) => kept.length > 0).length;
        },
        resume() {
          for (const pair of stalled) {
            pair.left = undefined;
            for (const data of pair.kept.splice(0)) pair.client.write(data);
            if (pair.upstream.destroyed) pair.client.destroySoon();
          }
        },
        cut: () => stalled.filter((pair) => pairs.has(pair)).forEach(reset),
      };
    },
    async close() {
      for (const pair of pairs) reset(pair);
      server.close();
      await once(server, 'close');
    },
  };
  return link;
}
