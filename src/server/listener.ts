// One port for HTTP/1.1 and cleartext HTTP/2: the first bytes of a connection tell which it is, and it is handed to Node's own
// server for that protocol. The http server listens itself, so that Node's time limits for slow clients and its closing
// apply; only its way of taking a connection is put behind the look at the first bytes. Bytes that are neither get a 400 and
// a closed connection; nothing that a client sends ends the process. Connections, requests that wait in one of them, streams and idle
// sessions of HTTP/2 have limits: what is over them is turned away, and what is there goes on.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttp2Server, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { bounds } from '../core/bounds.js';
import { AppError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import { Connections } from './connections.js';
import { Http2Sessions } from './http2-sessions.js';
import type { ServerOptions } from './server-context.js';

export interface ListenerOptions extends Pick<
  ServerOptions,
  'headersTimeoutMs' | 'closeMs' | 'connectionsMax' | 'http2'
> {
  readonly logger: Logger;
}

export interface ListenerHandlers {
  readonly http1: (request: IncomingMessage, response: ServerResponse) => void;
  readonly http2: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void;
}

export interface Listener {
  /** Rejects with port-in-use or bad-config. */
  listen(host: string, port: number): Promise<AddressInfo>;
  /** Stops accepting, waits for what is open until the deadline, then cuts it. */
  close(): Promise<void>;
}

/** The first bytes of every HTTP/2 connection; no HTTP/1 method begins like this. */
const prefaceStart = Buffer.from('PRI * HTTP/2');

export function createListener(handlers: ListenerHandlers, options: ListenerOptions): Listener {
  const http1 = createServer(
    {
      headersTimeout: options.headersTimeoutMs,
      connectionsCheckingInterval: Math.max(100, Math.min(5_000, options.headersTimeoutMs / 2)),
      keepAliveTimeout: 65_000,
    },
    (request, response) => {
      if (response.socket !== null) return handlers.http1(request, response);
      if (!mayWait(request.socket, response)) return void request.socket.destroy();
      // It is answered when its turn has come: a client that takes nothing has only so much made for it.
      response.once('socket', () => {
        setImmediate(() => {
          if (!request.socket.destroyed) handlers.http1(request, response);
        });
      });
    },
  );
  const http2 = createHttp2Server({
    settings: { enablePush: false, maxConcurrentStreams: options.http2.streamsPerConnection },
  });
  const paced = createPace();
  const sessions = new Http2Sessions(options.http2, options.logger);
  const connections = new Connections({
    max: options.connectionsMax,
    logger: options.logger,
    closeIdle: () => {
      http1.closeIdleConnections();
      sessions.closeIdle(0);
    },
  });

  http2.on('stream', (stream, headers) => {
    if (sessions.takes(stream)) paced(() => handlers.http2(stream, headers));
  });
  http2.on('session', (session) => sessions.add(session));
  http2.on('sessionError', () => {});
  http1.on('clientError', answerGarbage);
  const takeHttp1 = takeConnections(http1, (socket) => {
    // Resets by the peer are its affair; 'close' follows.
    socket.on('error', () => {});
    if (!connections.takes(socket)) return;
    // Each answer that waits for the client listens for the end of its connection.
    socket.setMaxListeners(bounds.http1Pipelined.value + 20);
    sniff(socket, options.headersTimeoutMs, {
      http1: takeHttp1,
      http2: (taken) => {
        // HTTP/2 has its own way to say that one side is done.
        taken.allowHalfOpen = false;
        http2.emit('connection', taken);
      },
    });
  });

  return {
    listen(host, port) {
      return new Promise((resolve, reject) => {
        const failed = (error: NodeJS.ErrnoException) => reject(listenError(error, host, port));
        http1.once('error', failed);
        http1.listen(port, host, () => {
          http1.removeListener('error', failed);
          // Such as a connection that cannot be taken because the process has no file descriptor left: the next one may be.
          http1.on('error', (error: NodeJS.ErrnoException) => connections.failed(error));
          resolve(http1.address() as AddressInfo);
        });
      });
    },
    async close() {
      const closed = new Promise<void>((resolve) => http1.close(() => resolve()));
      sessions.close();
      // A connection whose answer ends during closing becomes idle, and would stay for its keep-alive time.
      const sweep = setInterval(() => http1.closeIdleConnections(), 20);
      const deadline = setTimeout(() => {
        connections.destroy();
      }, options.closeMs);
      await closed;
      clearInterval(sweep);
      clearTimeout(deadline);
    },
  };
}

/** So many requests of one turn of the event loop are begun at once; a session can bring a hundred, and others want to be heard. */
const turnMax = 16;

/** Runs what it is given, some in each turn, in order. */
function createPace(): (work: () => void) => void {
  const queue: (() => void)[] = [];
  let begun = 0;
  const next = () => {
    begun = 0;
    for (const work of queue.splice(0, turnMax)) {
      begun++;
      work();
    }
    if (begun > 0) setImmediate(next);
  };
  return (work) => {
    if (begun >= turnMax) return void queue.push(work);
    if (begun++ === 0) setImmediate(next);
    work();
  };
}

const waiting = new WeakMap<Socket, number>();

/** A client may send the next requests before it has the answer to the first, but not without end. */
function mayWait(socket: Socket, response: ServerResponse): boolean {
  const before = waiting.get(socket) ?? 0;
  if (before >= bounds.http1Pipelined.value) return false;
  waiting.set(socket, before + 1);
  response.once('socket', () => waiting.set(socket, waiting.get(socket)! - 1));
  return true;
}

/** Puts `take` in the place of the server's own connection handler, and gives that one back. */
function takeConnections(server: Server, take: (socket: Socket) => void): (socket: Socket) => void {
  const original = server.listeners('connection') as ((socket: Socket) => void)[];
  server.removeAllListeners('connection');
  server.on('connection', take);
  return (socket) => {
    for (const listener of original) listener.call(server, socket);
  };
}

interface Takers {
  readonly http1: (socket: Socket) => void;
  readonly http2: (socket: Socket) => void;
}

function sniff(socket: Socket, timeoutMs: number, takers: Takers): void {
  let seen: Buffer | undefined;
  // Node's own limits count from the moment that its server has the connection; until then this one does.
  const timer = setTimeout(() => socket.destroy(), timeoutMs);
  const finished = () => clearTimeout(timer);
  const onEnd = () => socket.end();
  const onData = (part: Buffer) => {
    seen = seen === undefined ? part : Buffer.concat([seen, part]);
    const length = Math.min(seen.length, prefaceStart.length);
    const isHttp2 = seen.compare(prefaceStart, 0, length, 0, length) === 0;
    if (isHttp2 && length < prefaceStart.length) return;
    finished();
    socket.removeListener('data', onData);
    socket.removeListener('end', onEnd);
    socket.removeListener('close', finished);
    socket.pause();
    socket.unshift(seen);
    if (isHttp2) {
      // The session reads what is buffered by itself; a flowing socket would lose it.
      takers.http2(socket);
    } else {
      takers.http1(socket);
      socket.resume();
    }
  };
  socket.on('data', onData);
  socket.on('end', onEnd);
  socket.on('close', finished);
}

function answerGarbage(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const status =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? '431 Request Header Fields Too Large'
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? '408 Request Timeout'
        : '400 Bad Request';
  const body = JSON.stringify({
    type: '/errors/bad-request',
    status: Number(status.slice(0, 3)),
    code: 'bad-request',
    detail: 'these bytes are not an HTTP request',
  });
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: application/problem+json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    () => socket.destroy(),
  );
}

function listenError(error: NodeJS.ErrnoException, host: string, port: number): AppError {
  const address = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  if (error.code === 'EADDRINUSE') {
    return new AppError('port-in-use', `another program listens on ${address} already`, {
      hint: `stop it, or choose another port: --port ${port === 65535 ? port - 1 : port + 1} (--port 0 takes a free one)`,
      cause: error,
    });
  }
  return new AppError('bad-config', `cannot listen on ${address}: ${error.message}`, {
    hint: error.code === 'EACCES' ? 'ports below 1024 need privileges; choose one above' : 'check --host',
    cause: error,
  });
}
