// The HTTP edge of the service: listener, guard, router and the two express applications, put together. It can listen before
// the rooms behind it are there: until `attach` every path but liveness answers 503.
import { isIP } from 'node:net';
import { AnswerBudget } from '../core/answer-budget.js';
import { AppError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import type { Metrics } from '../core/metrics.js';
import { AnswerRoad } from './answer-road.js';
import { CommandStatuses } from './command-statuses.js';
import type { Exchange } from './exchange.js';
import { Gate } from './gate.js';
import { createGuard } from './guard.js';
import { Http1Exchange } from './http1.js';
import { Http2Exchange } from './http2.js';
import { createListener } from './listener.js';
import { RequestCounts } from './request-counts.js';
import { createRouter } from './router.js';
import { type ServerContext, serverDefaults, type ServerFacades, type ServerOptions } from './server-context.js';
import { createStreamTracker } from './stream-tracker.js';

/** Each page holds some MB, several times over while it is printed. */
const tapsMax = 2;

export interface ServerParts {
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly options?: Partial<ServerOptions> | undefined;
  /** The sum in which the process counts what waits for clients. */
  readonly answers?: AnswerBudget | undefined;
  /** Can be given later by `attach`. */
  readonly facades?: ServerFacades | undefined;
}

export interface WritethroughServer {
  /** Rejects with port-in-use, bad-config or refused-to-listen. */
  listen(): Promise<{ readonly host: string; readonly port: number; readonly url: string }>;
  /** From now on requests are answered. */
  attach(facades: ServerFacades): void;
  /** Stops accepting, tells streams when to come back, waits `closeMs`, then cuts what is left. Idempotent. */
  close(): Promise<void>;
  /** Once it listens. */
  readonly address: { readonly host: string; readonly port: number; readonly url: string } | undefined;
}

export function createServer(parts: ServerParts): WritethroughServer {
  const options: ServerOptions = { ...serverDefaults, ...parts.options };
  const { logger, metrics } = parts;
  const counts = new RequestCounts();
  const answers = parts.answers ?? new AnswerBudget(options.answersBytesMax);
  const streams = createStreamTracker({ stallMs: options.stallMs, answers, onStall: () => counts.dropped() });
  const road = new AnswerRoad({ answers, streams, counts, stallMs: options.stallMs });
  const exchangeParts = { counts, streams, road };
  const guard = createGuard(options);
  let context: ServerContext | undefined;
  let draining = false;
  let address: WritethroughServer['address'];
  let closing: Promise<void> | undefined;

  function attach(facades: ServerFacades): void {
    const commands = new CommandStatuses();
    const open = { pushQueries: { open: 0 }, subscribers: { open: 0 }, taps: new Gate(tapsMax) };
    context = { facades, options, logger, metrics, counts, streams, commands, ...open };
  }
  if (parts.facades !== undefined) attach(parts.facades);

  // Only called once the context is there: the router answers 503 before.
  const facades = (): ServerFacades => context!.facades;
  const adminOptions = { bodyBytesMax: options.bodyBytesMax, logger, road };
  // Express is loaded for the first request that needs it: it costs more to load than the rest of the server.
  const adminApps = {
    connect: once(async () => (await import('./connect-app.js')).createConnectApp(facades, adminOptions)),
    registry: once(async () =>
      (await import('./registry-app.js')).createRegistryApp(() => facades().registry, adminOptions),
    ),
  };

  const route = createRouter({
    guard,
    logger,
    context: () => context,
    async admin(family, exchange: Exchange) {
      exchange.route = family;
      if (exchange instanceof Http2Exchange) return exchange.refuseHttp2();
      const { request, response } = exchange as Http1Exchange;
      (await adminApps[family]())(request, response);
    },
  });

  const listener = createListener(
    {
      http1(request, response) {
        if (draining) response.shouldKeepAlive = false;
        route(new Http1Exchange(request, response, exchangeParts));
      },
      http2(stream, headers) {
        route(new Http2Exchange(stream, headers, exchangeParts));
      },
    },
    { ...options, logger },
  );

  return {
    attach,
    get address() {
      return address;
    },
    async listen() {
      refuseOpenAddress(options);
      const bound = await listener.listen(options.host, options.port);
      guard.setBoundAddress(bound.address);
      const shown = isIP(options.host) === 6 ? `[${options.host}]` : options.host;
      address = { host: options.host, port: bound.port, url: `http://${shown}:${bound.port}` };
      return address;
    },
    close() {
      closing ??= (async () => {
        draining = true;
        streams.shutdown();
        if (address !== undefined) await listener.close();
      })();
      return closing;
    },
  };
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}

function refuseOpenAddress(options: ServerOptions): void {
  const { host } = options;
  const loopback = host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
  if (loopback || options.allowUnauthenticated) return;
  throw new AppError(
    'refused-to-listen',
    `${host} can be reached from other machines, and there is no authentication`,
    {
      hint: 'listen on 127.0.0.1, or add --allow-unauthenticated if only trusted machines reach this address',
    },
  );
}
