import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { ask, ask2, freshness, http2Session, paged, raw, startServer, waitFor } from './harness.js';

const point = { query: { point: () => ({ json: '{"id":1}', ...freshness }) } };

describe('one port for both protocols', () => {
  it('answers HTTP/1.1 and HTTP/2 alike, also at the same time', async () => {
    const server = await startServer(point);
    const session = http2Session(server);
    const path = '/v1/tables/orders/rows/1';
    const replies = await Promise.all([ask(server, path), ask2(session, path), ask(server, path), ask2(session, path)]);
    for (const reply of replies) {
      expect(reply.status).toBe(200);
      expect(reply.body).toBe('{"id":1}');
      expect(reply.headers['writethrough-version']).toBe('log1:42');
      expect(reply.headers.etag).toBe(replies[0]!.headers.etag);
    }
  });

  it('tells HTTP/2 by its preface even when that arrives byte by byte', async () => {
    const server = await startServer(point);
    const preface = [...Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')].map((byte) => Buffer.from([byte]));
    // Our empty SETTINGS frame, and the start of the server's: type 4, on stream 0.
    const settings = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);
    const text = await raw(server, [...preface, settings], /^[^]{9}/);
    expect([text.charCodeAt(3), text.charCodeAt(8)]).toEqual([4, 0]);
  });

  it('takes an HTTP/1.1 request whose first bytes look like the preface at first', async () => {
    const server = await startServer(point);
    expect(
      await raw(server, [
        'P',
        'OST /v1/read HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{',
        '}',
      ]),
    ).toMatch(/^HTTP\/1.1 400 /);
  });

  it('serves pipelined requests on one connection in order', async () => {
    const server = await startServer({ query: { point: (_table, key) => ({ json: `"${key}"`, ...freshness }) } });
    const request = (key: number, more = '') =>
      `GET /v1/tables/t/rows/${key} HTTP/1.1\r\nHost: localhost\r\n${more}\r\n`;
    const text = await raw(server, [request(1) + request(2) + request(3, 'Connection: close\r\n')]);
    expect([...text.matchAll(/"(\d)"$/gm)].length + [...text.matchAll(/"(\d)"HTTP/g)].length).toBe(3);
    expect(text.indexOf('"1"')).toBeLessThan(text.indexOf('"2"'));
  });

  it('answers a client that closes its sending side first', async () => {
    const server = await startServer(point);
    const text = await new Promise<string>((resolve) => {
      const socket = connect({ port: server.port, host: '127.0.0.1', allowHalfOpen: true });
      let got = '';
      socket.on('data', (part) => (got += part.toString()));
      socket.on('end', () => resolve(got));
      socket.end('GET /v1/tables/t/rows/1 HTTP/1.1\r\nHost: localhost\r\n\r\n');
    });
    expect(text).toContain('{"id":1}');
  });
});

describe('hostile and broken clients', () => {
  it.each([
    ['random bytes', Buffer.from([0, 1, 2, 255, 254, 13, 10, 13, 10])],
    ['a TLS greeting', Buffer.from('16030100c8010000c40303', 'hex')],
    ['a line that is no request', Buffer.from('EHLO example\r\n\r\n')],
    ['a negative length', Buffer.from('POST /ksql HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n')],
  ])('%s get a 400 and a closed connection, and the server goes on', async (_name, bytes) => {
    const server = await startServer(point);
    expect(await raw(server, [bytes])).toMatch(/^HTTP\/1.1 400 Bad Request\r\n/);
    expect((await ask(server, '/v1/tables/t/rows/1')).status).toBe(200);
  });

  it('garbage behind the HTTP/2 preface ends that connection only', async () => {
    const server = await startServer(point);
    await raw(server, ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', Buffer.alloc(200, 0xff)]).catch(() => '');
    expect((await ask(server, '/v1/tables/t/rows/1')).status).toBe(200);
  });

  it('headers over the limit get 431', async () => {
    const server = await startServer(point);
    const text = await raw(server, [
      `GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: ${'x'.repeat(40_000)}\r\n\r\n`,
    ]).catch(() => 'reset');
    expect(text).toMatch(/^HTTP\/1.1 431 |^reset/);
    expect((await ask(server, '/livez')).status).toBe(200);
  });

  it('a client that never finishes its header, or never begins it, is cut off', async () => {
    const server = await startServer(point, { headersTimeoutMs: 300 });
    expect(await raw(server, ['GET / HTTP/1.1\r\nHost: loc'])).toMatch(/^HTTP\/1.1 408 /);
    expect(await raw(server, [])).toBe('');
  });
});

describe('the address', () => {
  it('names a taken port and the way out', async () => {
    const server = await startServer(point);
    await expect(startServer(point, { port: server.port })).rejects.toMatchObject({
      code: 'port-in-use',
      message: `another program listens on 127.0.0.1:${server.port} already`,
      hint: expect.stringContaining('--port') as string,
    });
  });

  it('is refused beyond loopback unless that is asked for', async () => {
    await expect(startServer(point, { host: '0.0.0.0' })).rejects.toMatchObject({ code: 'refused-to-listen' });
    const server = await startServer(point, { host: '0.0.0.0', allowUnauthenticated: true });
    expect((await ask(server, '/livez')).status).toBe(200);
  });

  it('that cannot be bound is a configuration error', async () => {
    await expect(startServer(point, { host: '192.0.2.1', allowUnauthenticated: true })).rejects.toMatchObject({
      code: 'bad-config',
    });
  });
});

describe('closing', () => {
  it('ends idle connections at once and refuses new ones', async () => {
    const server = await startServer(point, { closeMs: 5_000 });
    const idle = connect(server.port, '127.0.0.1');
    let closed = false;
    idle.on('close', () => (closed = true));
    idle.write('GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await new Promise((next) => idle.once('data', next));
    const session = http2Session(server);
    await ask2(session, '/livez');
    const started = performance.now();
    await server.server.close();
    expect(performance.now() - started).toBeLessThan(2_000);
    await waitFor(() => closed, 'the idle connection to close');
    await expect(ask(server, '/livez')).rejects.toThrow();
  });

  it('lets a running request finish', async () => {
    let release = (): void => {};
    let called = false;
    const held = new Promise<void>((resolve) => (release = resolve));
    const read = async () => {
      called = true;
      await held;
      return paged('{"results":[]}');
    };
    const server = await startServer({ query: { read } }, { closeMs: 5_000 });
    const pending = ask(server, '/v1/read', { body: '{"reads":[{"table":"t"}]}' });
    await waitFor(() => called, 'the request to run');
    const closing = server.server.close();
    release();
    expect((await pending).status).toBe(200);
    await closing;
  });

  it('cuts what is left at the deadline', async () => {
    let called = false;
    const read = () => {
      called = true;
      return new Promise<never>(() => {});
    };
    const server = await startServer({ query: { read } }, { closeMs: 100 });
    const pending = ask(server, '/v1/read', { body: '{"reads":[{"table":"t"}]}' });
    const cut = expect(pending).rejects.toThrow();
    await waitFor(() => called, 'the request to run');
    await server.server.close();
    await cut;
  });

  it('twice is once', async () => {
    const server = await startServer(point);
    await Promise.all([server.server.close(), server.server.close()]);
  });
});
