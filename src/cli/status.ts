// `writethrough status`: how the service stands: connectors, tables, queries, rebuilds.
import type { Command } from 'commander';
import { sourcePositions } from '../process/source-positions.js';
import { printAge } from '../core/freshness.js';
import type { VerifySummary } from '../connect/connect-facade.js';
import type { ServiceStatus } from '../server/status-facade.js';
import { clientOf, type CommandContext, wantsJson } from './command-context.js';
import { tableText } from './table-text.js';

interface Problem {
  readonly code: string;
  readonly message: string;
  readonly detail?: string;
  readonly hint?: string;
}

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
  text += `memory ${status.memory.rssBytes === null ? 'unknown' : megabytes(status.memory.rssBytes)}, data ${megabytes(status.memory.dataBytes)}\n`;
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
    for (const { name, error, source, stopped = [], verified } of status.connectors) {
      if (verified !== undefined) text += `${name}: ${verifiedText(verified)}\n`;
      if (error !== undefined) text += problemText(name, error);
      if (source.waitingTables) text += `${name}: new tables wait to be let in: ${source.waitingTables.join(', ')}\n`;
      for (const each of stopped) text += problemText(`table ${each.table} stands still`, each);
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
  if (source.phase === 'waiting') return `waiting: ${source.reason ?? 'unknown reason'}${retryText(source)}`;
  if (source.snapshot === undefined) return source.phase;
  const { tables } = source.snapshot;
  const rows = tables.reduce((sum, table) => sum + table.rows, 0);
  const done = `${tables.filter((table) => table.done).length} of ${tables.length} tables, ${rows} rows`;
  const at = tables.find(({ rowsPerSecond, done: isDone }) => rowsPerSecond !== undefined && !isDone);
  const left = at?.secondsLeft === undefined ? '' : `, ${duration(at.secondsLeft)} left of ${at.table}`;
  const pace = at === undefined ? '' : `, ${at.rowsPerSecond} rows/s${left}`;
  return source.phase === 'snapshot' ? `snapshot: ${done}${pace}` : `${source.phase}, reading again: ${done}${pace}`;
}

function verifiedText({ endedAt, state, tables, rows, differences, skipped, error }: VerifySummary): string {
  if (state === 'failed') return `could not be compared with its source at ${endedAt}: ${error?.message ?? ''}`;
  const found = differences === 0 ? 'equal' : `${differences} rows differ`;
  const left = skipped === 0 ? '' : `, ${skipped} tables skipped`;
  return `${tables} tables (${rows} rows) compared with their source at ${endedAt}: ${found}${left}`;
}

function retryText({ retry }: ServiceStatus['connectors'][number]['source']): string {
  return retry === undefined ? '' : `, tried again at ${retry.at}`;
}

function problemText(of: string, { code, message, detail, hint }: Problem): string {
  const more = detail === undefined ? '' : ` (${detail})`;
  return `${of}: ${code}: ${message}${more}\n${hint === undefined ? '' : `  hint: ${hint}\n`}`;
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
