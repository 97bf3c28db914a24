// What the two express applications share (Kafka Connect's REST and the Schema Registry's): a JSON body read by our own reader
// whatever its content type, asynchronous handlers, and errors in the family's shape. Express stays inside the files that
// import this one: it costs too much for reads and does not run on HTTP/2.
import express, {
  type ErrorRequestHandler,
  type Express,
  type NextFunction,
  type Request,
  type Response,
} from 'express';
import { AppError, errorFields, toAppError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import type { AnswerRoad } from './answer-road.js';
import { parseJson, readBody } from './body.js';
import { type ErrorFamily, errorAnswer, errorCodeHeader, retryHeaders } from './http-error.js';

export interface AdminAppOptions {
  readonly family: ErrorFamily;
  readonly contentType: string;
  readonly bodyBytesMax: number;
  readonly logger: Logger;
  readonly road: AnswerRoad;
}

/** A JSON answer. */
export function answer(response: Response, status: number, contentType: string, body: unknown): void {
  send(response, status, ['Content-Type', contentType], JSON.stringify(body));
}

/** An answer that is its status alone. */
export function answerEmpty(response: Response, status: number): void {
  send(response, status, [], '');
}

/** A text as it is. */
export function answerText(response: Response, contentType: string, text: string): void {
  send(response, 200, ['Content-Type', contentType], text);
}

/** Set once for an application, for all its answers. */
const sending = 'sendAnswer';
type Send = (response: Response, status: number, headers: string[], text: string) => void;

function send(response: Response, status: number, headers: string[], text: string): void {
  (response.app.locals[sending] as Send)(response, status, headers, text);
}

/** A path parameter; express gives one text for each `:name`. */
export function param(request: Request, name: string): string {
  return String(request.params[name]);
}

export function queryParam(request: Request, name: string): string | undefined {
  const value: unknown = request.query[name];
  const last: unknown = Array.isArray(value) ? value.at(-1) : value;
  return typeof last === 'string' ? last : undefined;
}

/** What is neither true nor false is refused before (declared-parameters.ts). */
export function flagParam(request: Request, name: string): boolean {
  return queryParam(request, name)?.toLowerCase() === 'true';
}

/** `routes` registers the paths; unknown ones and errors are answered here. */
export function createAdminApp(options: AdminAppOptions, routes: (app: Express) => void): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', 'simple');
  app.locals[sending] = ((response, status, headers, text) => {
    const refuse = (error: unknown) => respondError(response, error);
    options.road.http1(response, { route: options.family, refuse }, status, headers, text);
  }) satisfies Send;
  app.use(async (request: Request, _response: Response, next: NextFunction) => {
    // Without a body `request.body` is undefined, and what needs one says so.
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      const bytes = await readBody(request, request.headers['content-length'], { bytesMax: options.bodyBytesMax });
      request.body = bytes.length === 0 ? undefined : parseJson(bytes.toString('utf8'));
    }
    next();
  });
  routes(app);
  app.use((request: Request, response: Response) => {
    const allowed = methodsAt(app, request.path);
    if (allowed.length > 0) {
      response.setHeader('Allow', allowed.join(', '));
      const hint = `it takes ${allowed.join(', ')}`;
      throw new AppError('method-not-allowed', `${request.path} does not take ${request.method}`, { hint });
    }
    throw new AppError('unknown-route', `there is no ${request.method} ${request.path}`);
  });
  const onError: ErrorRequestHandler = (error: unknown, request, response, _next) => {
    const known = toAppError(fromExpress(error));
    const { status } = known;
    if (status >= 500) options.logger.error('a request failed', { path: request.path, status, ...errorFields(known) });
    if (response.headersSent) return void response.destroy();
    respondError(response, known);
  };
  app.use(onError);
  return app;

  function respondError(response: Response, error: unknown): void {
    const known = toAppError(error);
    const { status, contentType, body } = errorAnswer(options.family, known);
    send(response, status, ['Content-Type', contentType, errorCodeHeader, known.code, ...retryHeaders(known)], body);
  }
}

interface Layer {
  readonly route?: { readonly methods: Readonly<Record<string, boolean>> };
  match(path: string): boolean;
}

/** What a path takes; none: it is not there. */
function methodsAt(app: Express, path: string): readonly string[] {
  const layers = app.router.stack as unknown as readonly Layer[];
  const found = layers.filter((layer) => layer.route !== undefined && layer.match(path));
  const methods = found.flatMap((layer) => Object.keys(layer.route!.methods)).map((method) => method.toUpperCase());
  return [...new Set(methods)].toSorted();
}

/** What express itself refuses (a path that does not decode) carries a status; it is the client's mistake. */
function fromExpress(error: unknown): unknown {
  if (error instanceof AppError || !(error instanceof Error)) return error;
  const { status } = error as { status?: unknown };
  return typeof status === 'number' && status < 500
    ? new AppError('bad-request', error.message, { cause: error })
    : error;
}
