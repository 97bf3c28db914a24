// Kafka Connect's REST interface over the connect facade: the paths, bodies and status codes of the original, so that its
// tools and the CLI of others work unchanged. One process is the whole cluster, so there is no rebalance and no forwarding.
import type { Express, Request } from 'express';
import type { ConnectFacade, ConnectorConfig, ConnectorOffset, InitialState } from '../connect/connect-facade.js';
import { AppError } from '../core/errors.js';
import {
  type AdminAppOptions,
  answer,
  answerEmpty,
  createAdminApp,
  flagParam,
  param,
  queryParam,
} from './admin-app.js';
import { knownMembers, textMap } from './body.js';
import type { LoggersFacade } from './loggers-facade.js';
import { parseOffsets } from './offsets-body.js';
import { snapshotRequests } from './snapshot-body.js';
import type { StatusFacade } from './status-facade.js';
import { own } from '../core/own.js';

const json = 'application/json';

export interface ConnectAppParts {
  readonly connect: ConnectFacade;
  readonly status: StatusFacade;
  readonly loggers: LoggersFacade;
}

/** `parts` is asked at each request: the facades come after the listener. */
export function createConnectApp(
  parts: () => ConnectAppParts,
  options: Omit<AdminAppOptions, 'family' | 'contentType'>,
): Express {
  return createAdminApp({ ...options, family: 'connect', contentType: json }, (app) => {
    connectorRoutes(app, () => parts().connect);
    lifeCycleRoutes(app, () => parts().connect);
    pluginRoutes(app, () => parts().connect);
    loggerRoutes(app, () => parts().loggers);
    app.get('/health', async (_request, response) => {
      const { ready, reason } = parts().status.readiness();
      const body = {
        status: ready ? 'healthy' : 'unhealthy',
        message: reason ?? 'Worker has completed startup and is ready to handle requests.',
      };
      answer(response, ready ? 200 : 503, json, body);
    });
  });
}

/** There is one worker, so each scope is its. Of the scope of a cluster Connect tells nothing back. */
function loggerRoutes(app: Express, loggers: () => LoggersFacade): void {
  app.get('/admin/loggers', (_request, response) => {
    answer(response, 200, json, loggers().all());
  });
  app.get('/admin/loggers/:logger', (request, response) => {
    answer(response, 200, json, loggers().of(param(request, 'logger')));
  });
  app.put('/admin/loggers/:logger', (request, response) => {
    const body = bodyObject(request);
    knownMembers(body, ['level']);
    const { level } = body;
    if (typeof level !== 'string')
      throw new AppError('bad-request', 'the body has no "level"', { hint: '{"level":"DEBUG"}' });
    const scope = queryParam(request, 'scope') ?? 'worker';
    if (scope !== 'worker' && scope !== 'cluster')
      throw new AppError('bad-request', `there is no scope "${scope}"`, { hint: 'worker or cluster' });
    const changed = loggers().set(param(request, 'logger'), level);
    if (scope === 'worker') return answer(response, 200, json, changed);
    answerEmpty(response, 204);
  });
}

function connectorRoutes(app: Express, connect: () => ConnectFacade): void {
  app.get('/connectors', async (request, response) => {
    const names = await connect().list();
    const expand = expansions(request);
    if (expand.length === 0) return answer(response, 200, json, names);
    const all: [string, unknown][] = [];
    for (const name of names) {
      const entry: Record<string, unknown> = {};
      if (expand.includes('status')) entry['status'] = await connect().status(name);
      if (expand.includes('info')) entry['info'] = await connect().info(name);
      all.push([name, entry]);
    }
    answer(response, 200, json, Object.fromEntries(all));
  });

  app.post('/connectors', async (request, response) => {
    const { name, config, initially, offsets } = parseCreate(bodyObject(request));
    const info = await connect().create(name, config, 'api', initially, ...(offsets === undefined ? [] : [offsets]));
    response.setHeader('Location', `/connectors/${encodeURIComponent(name)}`);
    answer(response, 201, json, info);
  });

  app.get('/connectors/:name', async (request, response) => {
    answer(response, 200, json, await connect().info(param(request, 'name')));
  });
  app.get('/connectors/:name/config', async (request, response) => {
    answer(response, 200, json, (await connect().info(param(request, 'name'))).config);
  });
  app.put('/connectors/:name/config', async (request, response) => {
    const name = param(request, 'name');
    const config = namedConfig(name, textMap(bodyObject(request), 'the configuration'));
    const { info, created } = await connect().update(name, config);
    if (created) response.setHeader('Location', `/connectors/${encodeURIComponent(name)}`);
    answer(response, created ? 201 : 200, json, info);
  });
  app.patch('/connectors/:name/config', async (request, response) => {
    const name = param(request, 'name');
    const changes = bodyObject(request);
    // Secrets are masked in what is read, and keep their value where they are sent back so.
    const { config } = await connect().info(name);
    const left = Object.entries(config).filter(([property]) => changes[property] === undefined);
    const merged = { ...Object.fromEntries(left), ...textMap(changes, 'the configuration') };
    answer(response, 200, json, (await connect().update(name, namedConfig(name, merged))).info);
  });
  app.get('/connectors/:name/tasks', async (request, response) => {
    const { tasks, config } = await connect().info(param(request, 'name'));
    answer(
      response,
      200,
      json,
      tasks.map((id) => ({ id, config })),
    );
  });
  app.get('/connectors/:name/tasks-config', async (request, response) => {
    const { name, tasks, config } = await connect().info(param(request, 'name'));
    answer(response, 200, json, Object.fromEntries(tasks.map(({ task }) => [`${name}-${task}`, config])));
  });
  app.get('/connectors/:name/status', async (request, response) => {
    answer(response, 200, json, await connect().status(param(request, 'name')));
  });
  app.get('/connectors/:name/tasks/:task/status', async (request, response) => {
    const { tasks } = await connect().status(param(request, 'name'));
    answer(response, 200, json, taskOf(request, tasks));
  });
  app.get('/connectors/:name/doctor', async (request, response) => {
    answer(response, 200, json, await connect().diagnose(param(request, 'name')));
  });
  app.post('/connectors/:name/verify', async (request, response) => {
    answer(response, 202, json, await connect().verify(param(request, 'name'), parseVerify(request.body)));
  });
  app.get('/connectors/:name/verify', async (request, response) => {
    answer(response, 200, json, await connect().verification(param(request, 'name')));
  });
  app.get('/connectors/:name/topics', async (request, response) => {
    const name = param(request, 'name');
    answer(response, 200, json, { [name]: { topics: await connect().topics(name) } });
  });
  app.get('/connectors/:name/offsets', async (request, response) => {
    answer(response, 200, json, await connect().offsets(param(request, 'name')));
  });
  app.delete('/connectors/:name', async (request, response) => {
    const asks = (option: string) => flagParam(request, option);
    if (asks('cascade') && !asks('topics'))
      throw new AppError('bad-request', 'cascade goes with topics: without it nothing is dropped', {
        hint: `DELETE ${request.path}?topics=true&cascade=true`,
      });
    const options = { uninstall: asks('uninstall'), topics: asks('topics'), cascade: asks('cascade') };
    await connect().delete(param(request, 'name'), options);
    answerEmpty(response, 204);
  });
  app.delete('/connectors/:name/offsets', async (request, response) => {
    const topics = flagParam(request, 'topics');
    await connect().resetOffsets(param(request, 'name'), { topics });
    answer(response, 200, json, { message: 'The offsets for this connector have been reset successfully' });
  });
  app.patch('/connectors/:name/offsets', async (request, response) => {
    const body = bodyObject(request);
    knownMembers(body, ['offsets']);
    const offsets = parseOffsets(body['offsets'], 'offsets');
    await connect().alterOffsets(param(request, 'name'), offsets);
    answer(response, 200, json, { message: 'The offsets for this connector have been altered successfully' });
  });
  app.put('/connectors/:name/topics/reset', async (request, response) => {
    // Its topics are those of the tables that it captures now: there is nothing to forget.
    await connect().topics(param(request, 'name'));
    answerEmpty(response, 202);
  });
}

function lifeCycleRoutes(app: Express, connect: () => ConnectFacade): void {
  app.put('/connectors/:name/pause', async (request, response) => {
    await connect().pause(param(request, 'name'));
    answerEmpty(response, 202);
  });
  app.put('/connectors/:name/resume', async (request, response) => {
    await connect().resume(param(request, 'name'));
    answerEmpty(response, 202);
  });
  app.put('/connectors/:name/stop', async (request, response) => {
    await connect().stop(param(request, 'name'));
    answerEmpty(response, 204);
  });
  app.post('/connectors/:name/snapshot', async (request, response) => {
    const name = param(request, 'name');
    const requests = snapshotRequests(bodyObject(request));
    const tables = new Set<string>();
    for (const each of requests) for (const table of (await connect().snapshot(name, each)).tables) tables.add(table);
    answer(response, 202, json, { name, tables: [...tables].toSorted() });
  });
  app.post('/connectors/:name/restart', async (request, response) => {
    const name = param(request, 'name');
    const withTasks = flagParam(request, 'includeTasks');
    const onlyFailed = flagParam(request, 'onlyFailed');
    if (!onlyFailed || isFailed(await connect().status(name))) await connect().restart(name);
    if (!withTasks && !onlyFailed) return answerEmpty(response, 204);
    answer(response, 202, json, await connect().status(name));
  });
  app.post('/connectors/:name/tasks/:task/restart', async (request, response) => {
    const name = param(request, 'name');
    taskOf(request, (await connect().status(name)).tasks);
    // A connector has one task, and they share their life.
    await connect().restart(name);
    answerEmpty(response, 204);
  });
}

function pluginRoutes(app: Express, connect: () => ConnectFacade): void {
  app.get('/connector-plugins', async (request, response) => {
    answer(response, 200, json, connect().plugins(queryParam(request, 'connectorsOnly')?.toLowerCase() === 'false'));
  });
  app.get('/connector-plugins/:plugin/config', (request, response) => {
    answer(response, 200, json, connect().pluginConfig(param(request, 'plugin')));
  });
  app.put('/connector-plugins/:plugin/config/validate', async (request, response) => {
    const config = textMap(bodyObject(request), 'the configuration');
    answer(response, 200, json, await connect().validate(param(request, 'plugin'), config));
  });
}

function bodyObject(request: Request): Record<string, unknown> {
  const body: unknown = request.body;
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new AppError('bad-request', 'the request body must be a JSON object');
  }
  return body as Record<string, unknown>;
}

const initialStates: Readonly<Record<string, InitialState>> = {
  RUNNING: 'running',
  PAUSED: 'paused',
  STOPPED: 'stopped',
};

function parseCreate(body: Record<string, unknown>): {
  name: string;
  config: ConnectorConfig;
  initially: InitialState;
  offsets: readonly ConnectorOffset[] | undefined;
} {
  knownMembers(body, ['name', 'config', 'initial_state', 'initial_offsets']);
  const { name, config } = body;
  if (typeof name !== 'string' || name.trim() === '')
    throw new AppError('bad-request', '"name" must be the name of the connector');
  if (typeof config !== 'object' || config === null || Array.isArray(config)) {
    throw new AppError('bad-request', '"config" must be an object of connector properties');
  }
  const initial = body['initial_offsets'] ?? undefined;
  const offsets = initial === undefined ? undefined : parseOffsets(initial, 'initial_offsets');
  const state = body['initial_state'] ?? 'RUNNING';
  const initially = typeof state === 'string' ? own(initialStates, state.toUpperCase()) : undefined;
  if (initially === undefined)
    throw new AppError('bad-request', `"initial_state" can be ${Object.keys(initialStates).join(', ')}`);
  const named = namedConfig(name, textMap(config as Record<string, unknown>, '"config"'));
  return { name, config: named, initially, offsets };
}

/** Without a body: all tables, and nothing is repaired. */
function parseVerify(body: unknown): Parameters<ConnectFacade['verify']>[1] {
  const given = body === undefined || body === '' ? {} : bodyObject({ body } as Request);
  knownMembers(given, ['tables', 'repair', 'rowsPerSecond']);
  const { tables = [], repair = false, rowsPerSecond = null } = given;
  if (!Array.isArray(tables) || !tables.every((name) => typeof name === 'string'))
    throw new AppError('bad-request', '"tables" must be a list of names, database.table each');
  if (typeof repair !== 'boolean') throw new AppError('bad-request', '"repair" must be true or false');
  if (rowsPerSecond !== null && !(typeof rowsPerSecond === 'number' && rowsPerSecond >= 1))
    throw new AppError('bad-request', '"rowsPerSecond" must be a number from 1 on');
  return { tables, repair, rowsPerSecond };
}

/** The name stands in the path or beside the configuration; one inside it must be the same. */
function namedConfig(name: string, config: Record<string, string>): ConnectorConfig {
  if (config['name'] !== undefined && config['name'] !== name) {
    throw new AppError(
      'bad-request',
      `the configuration names the connector "${config['name']}", the request "${name}"`,
    );
  }
  return { ...config, name };
}

/** What is asked for beside the names; as in Kafka Connect, words that are not known are passed over. */
function expansions(request: Request): readonly string[] {
  const value = request.query['expand'] as string | string[] | undefined;
  return value === undefined ? [] : Array.isArray(value) ? value : [value];
}

function taskOf<T extends { readonly id: number }>(request: Request, tasks: readonly T[]): T {
  const found = tasks.find((task) => String(task.id) === param(request, 'task'));
  if (found === undefined) {
    throw new AppError(
      'unknown-connector',
      `connector "${param(request, 'name')}" has no task ${param(request, 'task')}`,
    );
  }
  return found;
}

function isFailed(status: Awaited<ReturnType<ConnectFacade['status']>>): boolean {
  return status.connector.state === 'FAILED' || status.tasks.some((task) => task.state === 'FAILED');
}
