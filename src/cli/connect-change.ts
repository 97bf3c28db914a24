// `connect pause`, `resume`, `restart` and `delete`: each one sentence per connector in the past tense.
import type { DeleteOptions } from '../connect/connect-facade.js';
import type { Command } from 'commander';
import { AppError } from '../core/errors.js';
import { clientOf, type CommandContext } from './command-context.js';
import { connectorPath, print } from './connect-output.js';

export function pauseConnectors(context: CommandContext, ids: readonly string[], command: Command): Promise<void> {
  return change(context, ids, command, { method: 'PUT', rest: '/pause', done: 'Paused' });
}

export function resumeConnectors(context: CommandContext, ids: readonly string[], command: Command): Promise<void> {
  return change(context, ids, command, { method: 'PUT', rest: '/resume', done: 'Resumed' });
}

export function restartConnectors(context: CommandContext, ids: readonly string[], command: Command): Promise<void> {
  return change(context, ids, command, { method: 'POST', rest: '/restart?includeTasks=true', done: 'Restarted' });
}

export async function deleteConnectors(
  context: CommandContext,
  ids: readonly string[],
  options: DeleteOptions & { readonly force?: boolean },
  command: Command,
): Promise<void> {
  // Known names first: nobody should be asked about a connector that does not exist.
  const client = clientOf(context, command);
  for (const id of ids) await client.json(connectorPath(id));
  if (options.force !== true) {
    const names = ids.map((id) => `"${id}"`).join(', ');
    const reply = await context.io.ask(`Are you sure you want to delete connector ${names}? (y/n): `);
    if (!/^\s*y(es)?\s*$/i.test(reply)) {
      throw new AppError('bad-request', 'nothing was deleted: the question was not answered with y', {
        hint: 'use --force to delete without a question',
      });
    }
  }
  const asked = (['uninstall', 'topics', 'cascade'] as const).filter((option) => options[option] === true);
  await change(context, ids, command, {
    method: 'DELETE',
    rest: asked.length === 0 ? '' : `?${asked.map((option) => `${option}=true`).join('&')}`,
    done: 'Deleted',
  });
}

interface Change {
  readonly method: 'PUT' | 'POST' | 'DELETE';
  readonly rest: string;
  readonly done: string;
}

async function change(
  context: CommandContext,
  ids: readonly string[],
  command: Command,
  { method, rest, done }: Change,
): Promise<void> {
  const client = clientOf(context, command);
  for (const id of ids) {
    await client.json(connectorPath(id, rest), { method });
    print(context, command, { id, status: done.toLowerCase() }, () => `${done} connector "${id}".\n`);
  }
}
