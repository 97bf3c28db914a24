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
import { parseJson, readBody } from './body.js';
import { type ErrorFamily, errorAnswer, errorCodeHeader } from './http-error.js';

export interface AdminAppOptions {
  readonly family: ErrorFamily;
  readonly contentType: string;
  readonly bodyBytesMax: number;
  readonly logger: Logger;
}

/** A JSON answer. */
export function answer(response: Response, status: number, contentType: string, body: unknown): void {
  const text = JSON.stringify(body);
  response.writeHead(status, ['Content-Type', contentType, 'Content-Length', String(Buffer.byteLength(text))]);
  response.end(text);
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
    const { status, contentType, body } = errorAnswer(options.family, known);
    if (status >= 500) options.logger.error('a request failed', { path: request.path, status, ...errorFields(known) });
    if (response.headersSent) return void response.destroy();
    const headers = ['Content-Type', contentType, 'Content-Length', String(Buffer.byteLength(body))];
    response.writeHead(status, [...headers, errorCodeHeader, known.code]);
    response.end(body);
  };
  app.use(onError);
  return app;
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
