// `connect offset describe`, `update` and `delete`: where connectors go on. Kafka Connect changes an offset of a stopped connector only: one
// that runs or is paused is stopped for that, and goes on behind it as it did before.
import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import type { ConnectorInfo, ConnectorOffset, ConnectorStatus } from '../connect/connect-facade.js';
import { AppError } from '../core/errors.js';
import { parseOffsets } from '../server/offsets-body.js';
import { clientOf, type CommandContext } from './command-context.js';
import { connectorPath, print } from './connect-output.js';
import { tableText } from './table-text.js';

export async function describeOffsets(context: CommandContext, id: string, command: Command): Promise<void> {
  const answer = (await clientOf(context, command).json(connectorPath(id, '/offsets'))) as {
    offsets: readonly ConnectorOffset[];
  };
  print(context, command, { id, ...answer }, () =>
    tableText(
      ['Partition', 'Offset'],
      answer.offsets.map(({ partition, offset }) => [JSON.stringify(partition), JSON.stringify(offset)]),
    ),
  );
}

export async function updateOffsets(
  context: CommandContext,
  id: string,
  options: { readonly configFile?: string; readonly config?: string },
  command: Command,
): Promise<void> {
  const file = options.configFile ?? options.config;
  if (file === undefined) command.error('error: a file of offsets is needed: --config-file FILE', { exitCode: 2 });
  const offsets = parseOffsets(await readOffsets(file), 'offsets');
  const rest = '/offsets';
  await whileStopped(context, id, command, { method: 'PATCH', rest, body: { offsets }, done: 'Updated' });
}

export function deleteOffsets(context: CommandContext, id: string, command: Command): Promise<void> {
  return whileStopped(context, id, command, { method: 'DELETE', rest: '/offsets', done: 'Deleted' });
}

interface OffsetChange {
  readonly method: 'PATCH' | 'DELETE';
  readonly rest: string;
  readonly body?: object;
  readonly done: string;
}

async function whileStopped(
  context: CommandContext,
  id: string,
  command: Command,
  { method, rest, body, done }: OffsetChange,
): Promise<void> {
  const client = clientOf(context, command);
  await client.json(connectorPath(id));
  const { connector } = (await client.json(connectorPath(id, '/status'))) as ConnectorStatus;
  const wasStopped = connector.state === 'STOPPED';
  if (!wasStopped) await client.json(connectorPath(id, '/stop'), { method: 'PUT' });
  try {
    await client.json(connectorPath(id, rest), { method, ...(body && { body }) });
  } finally {
    if (!wasStopped)
      await client.json(connectorPath(id, connector.state === 'PAUSED' ? '/pause' : '/resume'), { method: 'PUT' });
  }
  const info = (await client.json(connectorPath(id))) as ConnectorInfo;
  print(
    context,
    command,
    { id: info.name, status: done.toLowerCase() },
    () => `${done} the offsets of connector "${id}".\n`,
  );
}

/** `{"offsets": [...]}`, as `describe -o json` writes it, or the list alone. */
async function readOffsets(file: string): Promise<unknown> {
  try {
    const parsed = JSON.parse(await readFile(file, 'utf8')) as unknown;
    if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return parsed;
    return (parsed as { offsets?: unknown }).offsets;
  } catch (cause) {
    throw new AppError('bad-request', `cannot read the offsets in ${file}`, {
      detail: cause instanceof Error ? cause.message : undefined,
      cause,
    });
  }
}
