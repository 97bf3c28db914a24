// `writethrough query SQL`: runs SELECTs, pull or push, and prints the rows; any other statement goes to /ksql and prints what
// became of it. Numbers are shown with all their digits.
import type { Command } from 'commander';
import { AppError, type ErrorCode, errorCodes } from '../core/errors.js';
import type { Client } from './client.js';
import type { CliIo } from './cli-io.js';
import { clientOf, type CommandContext, wantsJson } from './command-context.js';
import { cellText, splitJsonArray } from './json-cells.js';
import { tableText } from './table-text.js';

const delimited = 'application/vnd.ksqlapi.delimited.v1';
const tombstoneStart = '{"tombstone":true,"columns":';

export function queryCommand(program: Command, context: CommandContext): void {
  program
    .command('query')
    .argument('<sql>', 'a statement; SELECT ... EMIT CHANGES goes on until Ctrl-C')
    .description('run a statement')
    .action(async (sql: string, _options: unknown, command: Command) => {
      const client = clientOf(context, command);
      const json = wantsJson(command);
      if (/^\s*(--[^\n]*\n\s*)*select\b/i.test(sql)) await select(client, context.io, sql, json);
      else await execute(client, context.io, sql, json);
    });
}

async function select(client: Client, io: CliIo, sql: string, json: boolean): Promise<void> {
  const push = /\bemit\b/i.test(sql);
  const signal = io.signal();
  const body = { sql, properties: push ? { 'writethrough.query.tombstones': true } : {} };
  let head: readonly string[] | undefined;
  const rows: string[][] = [];
  for await (const line of client.lines('/query-stream', { method: 'POST', body, accept: delimited, signal })) {
    if (head === undefined) {
      head = (JSON.parse(line) as { columnNames: string[] }).columnNames;
      if (json) io.out(`${line}\n`);
      else if (push) io.out(`${head.join('\t')}\n`);
      continue;
    }
    const isDelete = line.startsWith(tombstoneStart);
    if (line.startsWith('{') && !isDelete) throw errorInStream(line);
    if (json) {
      io.out(`${line}\n`);
      continue;
    }
    const cells = splitJsonArray(isDelete ? line.slice(tombstoneStart.length) : line).map(cellText);
    if (push) io.out(`${cells.join('\t')}${isDelete ? '\t(deleted)' : ''}\n`);
    else rows.push(cells);
  }
  if (!json && !push && head !== undefined) io.out(tableText(head, rows));
}

async function execute(client: Client, io: CliIo, sql: string, json: boolean): Promise<void> {
  const entities = (await client.json('/ksql', { method: 'POST', body: { ksql: sql } })) as readonly Record<
    string,
    unknown
  >[];
  if (json) return io.out(`${JSON.stringify(entities)}\n`);
  if (entities.length === 0) return io.out('Done.\n');
  for (const entity of entities) io.out(`${entityText(entity)}\n`);
}

/** One line for what changed something; lists and descriptions as JSON, which people can read too. */
function entityText(entity: Record<string, unknown>): string {
  const status = entity['commandStatus'] as { readonly status?: string; readonly message?: string } | undefined;
  if (status !== undefined) return `${status.status ?? ''}: ${status.message ?? ''}`;
  if (typeof entity['message'] === 'string') return entity['message'];
  const { '@type': _type, statementText: _text, warnings: _warnings, ...rest } = entity;
  return JSON.stringify(rest, null, 2);
}

function errorInStream(line: string): AppError {
  const { message, code } = JSON.parse(line) as { message?: string; code?: string };
  const known: ErrorCode = code !== undefined && Object.hasOwn(errorCodes, code) ? (code as ErrorCode) : 'internal';
  return new AppError(known, message ?? line);
}
