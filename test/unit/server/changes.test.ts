import { connect } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { AppError } from '../../../src/core/errors.js';
import type { ChangeItem, SubscribeOptions } from '../../../src/query/query-facade.js';
import { ask, http2Session, raw, startServer, type TestServer, waitFor } from './harness.js';

const item = (seq: number, op: ChangeItem['op'] = 'u', json = `{"id":"log1:${seq}.0","op":"${op}"}`): ChangeItem => ({
  id: `log1:${seq}.0`,
  op,
  json,
});

/** A subscription that gives these batches and then waits for its signal. */
function subscription(batches: readonly (readonly ChangeItem[])[], seen: SubscribeOptions[] = []) {
  return async function* (options: SubscribeOptions): AsyncGenerator<readonly ChangeItem[]> {
    seen.push(options);
    yield [];
    yield* batches;
    await new Promise<void>((resolve) => {
      if (options.signal.aborted) resolve();
      options.signal.addEventListener('abort', () => resolve());
    });
  };
}

function get(path: string, headers = ''): string {
  return `GET ${path} HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n`;
}

/** The body of a chunked answer, without the sizes. */
function unchunk(text: string): string {
  let rest = text.slice(text.indexOf('\r\n\r\n') + 4);
  let body = '';
  for (;;) {
    const end = rest.indexOf('\r\n');
    const size = Number.parseInt(rest.slice(0, end), 16);
    if (end < 0 || !(size > 0)) return body;
    body += rest.slice(end + 2, end + 2 + size);
    rest = rest.slice(end + 4 + size);
  }
}

describe('server-sent events', () => {
  it('carry retry, id, event and data, with headers that keep proxies from buffering', async () => {
    const subscribe = subscription([[item(1, 'r')], [item(1, 'caught-up'), item(2, 'c')]]);
    const server = await startServer({ query: { subscribe } });
    const text = await raw(server, [get('/v1/tables/t/changes?snapshot=true')], /event: c\ndata: [^\n]*\n\n/);
    const head = text.slice(0, text.indexOf('\r\n\r\n')).toLowerCase();
    expect(head).toContain('content-type: text/event-stream');
    expect(head).toContain('cache-control: no-cache, no-transform');
    expect(head).toContain('x-accel-buffering: no');
    expect(unchunk(text)).toBe(
      'retry: 1000\n\n' +
        'id: log1:1.0\nevent: r\ndata: {"id":"log1:1.0","op":"r"}\n\n' +
        'id: log1:1.0\nevent: caught-up\ndata: {"id":"log1:1.0","op":"caught-up"}\n\n' +
        'id: log1:2.0\nevent: c\ndata: {"id":"log1:2.0","op":"c"}\n\n',
    );
  });

  it('go on behind Last-Event-ID, which goes before ?after and ends ?snapshot', async () => {
    const seen: SubscribeOptions[] = [];
    const server = await startServer({ query: { subscribe: subscription([[item(9)]], seen) } });
    const path = '/v1/tables/my%20t/changes?snapshot=true&after=log1:3.0';
    await raw(server, [get(path, 'Last-Event-ID: log1:8.2\r\n')], /data:/);
    await raw(server, [get(path)], /data:/);
    await raw(server, [get('/v1/tables/t/changes?snapshot=true&numbers=literals')], /data:/);
    expect(seen.map(({ table, snapshot, after, numbers }) => ({ table, snapshot, after, numbers }))).toEqual([
      { table: 'my t', snapshot: false, after: 'log1:8.2', numbers: 'strings' },
      { table: 'my t', snapshot: false, after: 'log1:3.0', numbers: 'strings' },
      { table: 't', snapshot: true, after: undefined, numbers: 'literals' },
    ]);
  });

  it('send their header and a heartbeat while nothing happens, even when the subscription is silent', async () => {
    const subscribe = async function* ({ signal }: SubscribeOptions): AsyncGenerator<readonly ChangeItem[]> {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      yield [];
    };
    const server = await startServer({ query: { subscribe } }, { heartbeatMs: 20 });
    const text = await raw(server, [get('/v1/tables/t/changes')], /:\n\n/);
    expect(unchunk(text)).toMatch(/^retry: 1000\n\n/);
  });

  it('end the subscription when the client goes', async () => {
    const seen: SubscribeOptions[] = [];
    const server = await startServer({ query: { subscribe: subscription([[item(1)]], seen) } });
    await raw(server, [get('/v1/tables/t/changes')], /data:/);
    await waitFor(() => seen[0]!.signal.aborted, 'the signal');
  });

  it('tell when to come back as the server closes', async () => {
    const seen: SubscribeOptions[] = [];
    const server = await startServer(
      { query: { subscribe: subscription([[item(1)]], seen) } },
      { closeMs: 5_000, retryMs: 1234 },
    );
    const http1 = raw(server, [get('/v1/tables/t/changes')]);
    const http2 = http2Session(server).request({ ':path': '/v1/tables/t/changes' });
    let text = '';
    let ended = false;
    http2.on('data', (part: Buffer) => (text += part.toString()));
    http2.on('end', () => (ended = true));
    await waitFor(() => seen.length === 2 && text.includes('data:'), 'both subscriptions');
    const started = performance.now();
    await server.server.close();
    expect(performance.now() - started).toBeLessThan(2_000);
    expect(unchunk(await http1)).toMatch(/retry: 1234\n\n$/);
    await waitFor(() => ended, 'the end over HTTP/2');
    expect(text).toMatch(/retry: 1234\n\n$/);
  });

  it('answer HEAD with their header alone', async () => {
    const server = await startServer({ query: { subscribe: subscription([[item(1)]]) } });
    const reply = await ask(server, '/v1/tables/t/changes', { method: 'HEAD' });
    expect([reply.status, reply.headers['content-type']]).toEqual([200, 'text/event-stream; charset=utf-8']);
  });

  it('go over HTTP/2 as well', async () => {
    const server = await startServer({ query: { subscribe: subscription([[item(1), item(2)]]) } });
    const stream = http2Session(server).request({ ':path': '/v1/tables/t/changes' });
    let text = '';
    stream.on('data', (part: Buffer) => (text += part.toString()));
    await waitFor(() => text.includes('log1:2.0'), 'both events');
    stream.close();
  });
});

describe('NDJSON', () => {
  it.each([
    ['/v1/tables/t/changes?format=ndjson', ''],
    ['/v1/tables/t/changes', 'Accept: application/x-ndjson\r\n'],
  ])('is one change a line: %s %s', async (path, header) => {
    const server = await startServer({ query: { subscribe: subscription([[item(1), item(2)]]) } });
    const text = await raw(server, [get(path, header)], /log1:2.0"[^\n]*\n/);
    expect(text.toLowerCase()).toContain('content-type: application/x-ndjson');
    expect(unchunk(text)).toBe('{"id":"log1:1.0","op":"u"}\n{"id":"log1:2.0","op":"u"}\n');
  });

  it('is refused when neither form is acceptable', async () => {
    const server = await startServer({ query: { subscribe: subscription([]) } });
    expect((await ask(server, '/v1/tables/t/changes', { headers: { accept: 'image/png' } })).status).toBe(406);
    expect((await ask(server, '/v1/tables/t/changes?format=xml')).status).toBe(400);
  });
});

describe('a subscription that fails', () => {
  const failing = (error: Error) => (): AsyncIterable<readonly ChangeItem[]> => ({
    [Symbol.asyncIterator]: () => ({ next: () => nextTurn().then(() => Promise.reject(error)) }),
  });

  it('before it stands gives its own status: 410 for a position that is gone, 404 for a table that is not', async () => {
    const old = await startServer({
      query: {
        subscribe: failing(
          new AppError('too-old', 'log1:3.0 is older than the feed', { hint: 'start with ?snapshot=true' }),
        ),
      },
    });
    const reply = await ask(old, '/v1/tables/t/changes?after=log1:3.0');
    expect(reply.status).toBe(410);
    expect(reply.headers['content-type']).toBe('application/problem+json');
    expect(reply.json()).toMatchObject({ code: 'too-old', hint: 'start with ?snapshot=true' });
    const unknown = await startServer({ query: { subscribe: failing(new AppError('unknown-table', 'no t')) } });
    expect((await ask(unknown, '/v1/tables/t/changes')).status).toBe(404);
  });

  it('later tells it inside the stream and ends it', async () => {
    const subscribe = async function* (): AsyncGenerator<readonly ChangeItem[]> {
      yield [item(1)];
      await nextTurn();
      throw new AppError('overloaded', 'too slow; go on behind log1:1.0');
    };
    const server = await startServer({ query: { subscribe } });
    const sse = (await ask(server, '/v1/tables/t/changes')).body;
    expect(sse).toMatch(/event: error\ndata: \{"type":"\/errors\/overloaded".*\}\n\n$/);
    const lines = (await ask(server, '/v1/tables/t/changes?format=ndjson')).body.trim().split('\n');
    expect(JSON.parse(lines.at(-1)!)).toMatchObject({ error: { code: 'overloaded', status: 503 } });
  });
});

describe('a slow client', () => {
  const big = 'x'.repeat(200_000);

  function endless(pulled: { count: number }) {
    return async function* ({ signal }: SubscribeOptions): AsyncGenerator<readonly ChangeItem[]> {
      while (!signal.aborted) {
        yield [item(pulled.count++, 'u', JSON.stringify(big))];
        await nextTurn();
      }
    };
  }

  function stalledHttp1(server: TestServer) {
    const socket = connect(server.port, '127.0.0.1');
    socket.pause();
    socket.on('error', () => {});
    socket.write(get('/v1/tables/t/changes'));
    return () => socket.destroy();
  }

  function stalledHttp2(server: TestServer) {
    const stream = http2Session(server).request({ ':path': '/v1/tables/t/changes' });
    stream.pause();
    stream.on('error', () => {});
    return () => stream.close();
  }

  it.each([
    ['HTTP/1.1', stalledHttp1],
    ['HTTP/2', stalledHttp2],
  ])('over %s stops the subscription from being asked for more, and others go on', async (_name, stall) => {
    const pulled = { count: 0 };
    const server = await startServer({ query: { subscribe: endless(pulled) } });
    const end = stall(server);
    await waitFor(() => pulled.count > 0, 'the first batch');
    // The count stands still once the socket's buffers are full: seen over many turns of the event loop.
    let last = -1;
    let still = 0;
    await waitFor(() => {
      still = pulled.count === last ? still + 1 : 0;
      last = pulled.count;
      return still > 40;
    }, 'the batches to stop');
    expect(pulled.count * big.length).toBeLessThan(40_000_000);
    expect((await ask(server, '/livez')).status).toBe(200);
    end();
  });

  it('that takes nothing for too long is cut off', async () => {
    const pulled = { count: 0 };
    let signal: AbortSignal | undefined;
    const subscribe = (options: SubscribeOptions) => {
      signal = options.signal;
      return endless(pulled)(options);
    };
    const server = await startServer({ query: { subscribe } }, { stallMs: 100 });
    const end = stalledHttp1(server);
    await waitFor(() => signal?.aborted === true, 'the cut');
    expect((await ask(server, '/metrics')).body).toContain('writethrough_subscriber_dropped_total 1\n');
    end();
  });

  it('that only pauses gets everything, in order', async () => {
    const total = 60;
    const batches = Array.from({ length: total }, (_, i) => [item(i, 'u', JSON.stringify(`${i}:${big}`))]);
    // It may be that the page was taken back in a pause: another subscription then goes on behind it.
    const from = (after: string | undefined) => (after === undefined ? 0 : Number.parseInt(after.slice(5), 10) + 1);
    const subscribe = (options: SubscribeOptions) => subscription(batches.slice(from(options.after)))(options);
    const server = await startServer({ query: { subscribe } });
    const socket = connect(server.port, '127.0.0.1');
    const seen: number[] = [];
    let rest = '';
    socket.on('data', (part) => {
      rest += part.toString();
      for (let at = rest.indexOf('\nid: log1:'); at >= 0; at = rest.indexOf('\nid: log1:')) {
        const end = rest.indexOf('\n', at + 1);
        if (end < 0) break;
        seen.push(Number(rest.slice(at + 10, end - 2)));
        rest = rest.slice(end);
      }
      if (seen.length % 20 === 3) {
        socket.pause();
        setTimeout(() => socket.resume(), 20);
      }
    });
    socket.write(get('/v1/tables/t/changes'));
    await waitFor(() => seen.length === total, 'all events', 15_000);
    expect(seen).toEqual(Array.from({ length: total }, (_, i) => i));
    socket.destroy();
  });
});
