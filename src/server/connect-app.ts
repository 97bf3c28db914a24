// Kafka Connect's REST interface over the connect facade: the paths, bodies and status codes of the original, so that its
// tools and the CLI of others work unchanged. One process is the whole cluster, so there is no rebalance and no forwarding.
import type { Express, Request } from 'express';
import type { ConnectFacade, ConnectorConfig } from '../connect/connect-facade.js';
import { AppError } from '../core/errors.js';
import { type AdminAppOptions, answer, createAdminApp, param, queryParam } from './admin-app.js';
import { textMap } from './body.js';
import type { StatusFacade } from './status-facade.js';

const json = 'application/json';

export interface ConnectAppParts {
  readonly connect: ConnectFacade;
  readonly status: StatusFacade;
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

function connectorRoutes(app: Express, connect: () => ConnectFacade): void {
  app.get('/connectors', async (request, response) => {
    const names = await connect().list();
    const expand = expansions(request);
    if (expand.length === 0) return answer(response, 200, json, names);
    const all: Record<string, unknown> = {};
    for (const name of names) {
      const entry: Record<string, unknown> = {};
      if (expand.includes('status')) entry['status'] = await connect().status(name);
      if (expand.includes('info')) entry['info'] = await connect().info(name);
      all[name] = entry;
    }
    answer(response, 200, json, all);
  });

  app.post('/connectors', async (request, response) => {
    const { name, config } = parseCreate(bodyObject(request));
    const info = await connect().create(name, config, 'api');
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
  app.get('/connectors/:name/topics', async (request, response) => {
    const name = param(request, 'name');
    answer(response, 200, json, { [name]: { topics: await connect().topics(name) } });
  });
  app.get('/connectors/:name/offsets', async (request, response) => {
    answer(response, 200, json, await connect().offsets(param(request, 'name')));
  });
  app.delete('/connectors/:name', async (request, response) => {
    const asks = (option: string) => queryParam(request, option) === 'true';
    await connect().delete(param(request, 'name'), { uninstall: asks('uninstall'), topics: asks('topics') });
    response.status(204).end();
  });
  refuse(app, 'patch', '/connectors/:name/config', 'send the whole configuration with PUT');
  refuse(app, 'patch', '/connectors/:name/offsets', 'positions are stored with the data and cannot be set');
  refuse(
    app,
    'delete',
    '/connectors/:name/offsets',
    'delete the connector and create it again under another name to read everything anew',
  );
  refuse(app, 'put', '/connectors/:name/topics/reset', 'the active topics are those of the captured tables');
}

function lifeCycleRoutes(app: Express, connect: () => ConnectFacade): void {
  app.put('/connectors/:name/pause', async (request, response) => {
    await connect().pause(param(request, 'name'));
    response.status(202).end();
  });
  app.put('/connectors/:name/resume', async (request, response) => {
    await connect().resume(param(request, 'name'));
    response.status(202).end();
  });
  app.put('/connectors/:name/stop', async (request, response) => {
    await connect().stop(param(request, 'name'));
    response.status(204).end();
  });
  app.post('/connectors/:name/restart', async (request, response) => {
    const name = param(request, 'name');
    const withTasks = queryParam(request, 'includeTasks') === 'true';
    const onlyFailed = queryParam(request, 'onlyFailed') === 'true';
    if (!onlyFailed || isFailed(await connect().status(name))) await connect().restart(name);
    if (!withTasks && !onlyFailed) return void response.status(204).end();
    answer(response, 202, json, await connect().status(name));
  });
  app.post('/connectors/:name/tasks/:task/restart', async (request, response) => {
    const name = param(request, 'name');
    taskOf(request, (await connect().status(name)).tasks);
    // A connector has one task, and they share their life.
    await connect().restart(name);
    response.status(204).end();
  });
}

function pluginRoutes(app: Express, connect: () => ConnectFacade): void {
  app.get('/connector-plugins', async (_request, response) => {
    answer(response, 200, json, connect().plugins());
  });
  app.get('/connector-plugins/:plugin/config', async (request, response) => {
    const { configs } = await connect().validate(param(request, 'plugin'), {});
    answer(
      response,
      200,
      json,
      configs.map((config) => config.definition),
    );
  });
  app.put('/connector-plugins/:plugin/config/validate', async (request, response) => {
    const config = textMap(bodyObject(request), 'the configuration');
    answer(response, 200, json, await connect().validate(param(request, 'plugin'), config));
  });
}

/** Kafka Connect's calls that change what we keep otherwise: refused by name, with what to do instead. */
function refuse(app: Express, method: 'patch' | 'put' | 'delete', path: string, hint: string): void {
  app[method](path, (request: Request) => {
    throw new AppError('method-not-allowed', `${request.method} ${request.path} is not supported`, { hint });
  });
}

function bodyObject(request: Request): Record<string, unknown> {
  const body: unknown = request.body;
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new AppError('bad-request', 'the request body must be a JSON object');
  }
  return body as Record<string, unknown>;
}

function parseCreate(body: Record<string, unknown>): { name: string; config: ConnectorConfig } {
  const { name, config } = body;
  if (typeof name !== 'string' || name.trim() === '')
    throw new AppError('bad-request', '"name" must be the name of the connector');
  if (typeof config !== 'object' || config === null || Array.isArray(config)) {
    throw new AppError('bad-request', '"config" must be an object of connector properties');
  }
  for (const member of ['initial_offsets', 'initial_state']) {
    if (body[member] !== undefined) throw new AppError('bad-request', `"${member}" is not supported`);
  }
  return { name, config: namedConfig(name, textMap(config as Record<string, unknown>, '"config"')) };
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

function expansions(request: Request): readonly string[] {
  const value = request.query['expand'] as string | string[] | undefined;
  const wanted = value === undefined ? [] : Array.isArray(value) ? value : [value];
  const unknown = wanted.find((word) => word !== 'status' && word !== 'info');
  if (unknown !== undefined) throw new AppError('bad-request', `"expand" can be status or info, not "${unknown}"`);
  return wanted;
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
