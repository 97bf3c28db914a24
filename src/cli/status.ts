// `writethrough status`: how the service stands: connectors, tables, queries, rebuilds.
import type { Command } from 'commander';
import { sourcePositions } from '../process/source-positions.js';
import { printAge } from '../core/freshness.js';
import type { ServiceStatus } from '../server/status-facade.js';
import { clientOf, type CommandContext, wantsJson } from './command-context.js';
import { tableText } from './table-text.js';

export function statusCommand(program: Command, context: CommandContext): void {
  program
    .command('status')
    .description('show how the service stands')
    .action(async (_options: unknown, command: Command) => {
      const status = (await clientOf(context, command).json('/v1/status')) as ServiceStatus;
      context.io.out(wantsJson(command) ? `${JSON.stringify(status)}\n` : statusText(status));
    });
}

export function statusText(status: ServiceStatus): string {
  let text = `writethrough ${status.serviceVersion}, ${status.state}, up ${duration(status.uptimeSeconds)}\n`;
  for (const reason of status.reasons) text += `  ${reason}\n`;
  text += `version ${status.version}, ${ageText(status)}\n`;
  text += `memory ${megabytes(status.memory.rssBytes)}, data ${megabytes(status.memory.dataBytes)}\n`;
  if (status.outbox !== undefined && status.outbox.entries > 0) {
    const { bytes, bytesMax, ageMs, full } = status.outbox;
    text += `outbox ${megabytes(bytes)} of ${megabytes(bytesMax)}, oldest ${duration(ageMs / 1000)}${full ? ', full' : ''}\n`;
  }
  if (status.connectors.length > 0) {
    const rows = status.connectors.map((connector) => [
      connector.name,
      connector.tasks[0]?.state ?? connector.connector.state,
      phaseText(connector),
      connector.position === null ? '' : sourcePositions.token(connector.position),
    ]);
    text += `\n${tableText(['Connector', 'State', 'Source', 'Position'], rows)}`;
    for (const { name, error } of status.connectors) {
      if (error === undefined) continue;
      text += `${name}: ${error.code}: ${error.message}\n${error.hint === undefined ? '' : `  hint: ${error.hint}\n`}`;
    }
  }
  if (status.tables.length > 0) {
    const rows = status.tables.map((table) => [
      table.name,
      String(table.rows),
      table.visible ? printAge(table.lagMs) : 'not readable',
      table.reason ?? '',
    ]);
    text += `\n${tableText(['Table', 'Rows', 'Behind', ''], rows)}`;
  }
  if (status.queries.length > 0) {
    const rows = status.queries.map((query) => [query.id, query.state, query.sink ?? '', query.reason ?? '']);
    text += `\n${tableText(['Query', 'State', 'Sink', 'Reason'], rows)}`;
  }
  const running = status.rebuilds.filter((rebuild) => rebuild.state !== 'done' && rebuild.state !== 'failed');
  for (const rebuild of running) text += `\nrebuild of ${rebuild.table}: ${rebuild.state}, ${rebuild.rows} rows\n`;
  return text;
}

/** Only what is known to be current is called so. */
function ageText({ lagMs, stale, tables }: ServiceStatus): string {
  if (stale === undefined) return `${printAge(lagMs)} behind the source`;
  const oldest = tables.find((table) => table.standing === stale && table.reason !== undefined);
  return `as old as ${printAge(lagMs)}: ${oldest?.reason ?? stale}`;
}

function phaseText({ source }: ServiceStatus['connectors'][number]): string {
  if (source.phase === 'waiting') return `waiting: ${source.reason ?? 'unknown reason'}`;
  if (source.phase !== 'snapshot' || source.snapshot === undefined) return source.phase;
  const { tables } = source.snapshot;
  const rows = tables.reduce((sum, table) => sum + table.rows, 0);
  return `snapshot: ${tables.filter((table) => table.done).length} of ${tables.length} tables, ${rows} rows`;
}

function duration(seconds: number): string {
  const whole = Math.floor(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e5) / 10} MB`;
}
