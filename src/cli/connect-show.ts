// `connect list` and `connect describe`
import type { Command } from 'commander';
import type { ConnectorInfo, ConnectorStatus } from '../connect/connect-facade.js';
import { clientOf, type CommandContext } from './command-context.js';
import { connectorPath, print } from './connect-output.js';
import { tableText } from './table-text.js';

export async function listConnectors(context: CommandContext, command: Command): Promise<void> {
  const all = (await clientOf(context, command).json('/connectors?expand=status')) as Record<
    string,
    { status: ConnectorStatus }
  >;
  const items = Object.values(all).map(({ status }) => ({
    id: status.name,
    name: status.name,
    status: stateOf(status),
    type: status.type,
    trace: traceOf(status),
  }));
  const list = items.map(({ id, name, status, type }) => ({ id, name, status, type }));
  print(context, command, list, () =>
    tableText(
      ['ID', 'Name', 'Status', 'Type', 'Trace'],
      items.map(({ id, name, status, type, trace }) => [id, name, status, type, trace.split('\n')[0]!]),
    ),
  );
}

export async function describeConnector(context: CommandContext, id: string, command: Command): Promise<void> {
  const client = clientOf(context, command);
  const info = (await client.json(connectorPath(id))) as ConnectorInfo;
  const status = (await client.json(connectorPath(id, '/status'))) as ConnectorStatus;
  const connector = {
    id: info.name,
    name: info.name,
    status: stateOf(status),
    type: status.type,
    trace: traceOf(status),
  };
  const tasks = status.tasks.map((task) => ({ task: task.id, state: task.state }));
  const configs = Object.entries(info.config)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([config, value]) => ({ config, value }));
  const { stopped = [] } = status;
  print(context, command, { connector, tasks, ...(stopped.length > 0 && { stopped }), configs }, () => {
    const head = tableText(
      ['ID', 'Name', 'Status', 'Type', 'Trace'],
      [[connector.id, connector.name, connector.status, connector.type, connector.trace]],
    );
    const states = tableText(
      ['Task', 'State'],
      tasks.map(({ task, state }) => [String(task), state]),
    );
    const settings = tableText(
      ['Config', 'Value'],
      configs.map(({ config, value }) => [config, value]),
    );
    const stands = stopped.map(({ table, message, hint = '' }) => [table, message, hint]);
    const still =
      stands.length === 0 ? '' : `Tables that stand still\n${tableText(['Table', 'Reason', 'Hint'], stands)}\n`;
    return `Connector Details\n${head}\nTask Level Details\n${states}\n${still}Configuration Details\n${settings}`;
  });
}

/** A failed task is what people want to see, though Connect calls the connector itself RUNNING then. */
function stateOf(status: ConnectorStatus): string {
  return status.tasks.find((task) => task.state === 'FAILED')?.state ?? status.connector.state;
}

function traceOf(status: ConnectorStatus): string {
  const trace = status.connector.trace ?? status.tasks.find((task) => task.trace !== undefined)?.trace;
  const { phase, reason, retry } = status.source;
  if (phase !== 'waiting' || retry === undefined) return trace ?? '';
  return `${trace ?? reason ?? ''}; tried again at ${retry.at}`;
}
