// `writethrough rebuild TABLE`: derives a table again from the log, and shows the progress until it is done.
import type { Command } from 'commander';
import { delay } from '../core/backoff.js';
import { AppError } from '../core/errors.js';
import type { RebuildProgress } from '../projector/statement-facade.js';
import { clientOf, type CommandContext, wantsJson } from './command-context.js';

const pollMs = 250;

export function rebuildCommand(program: Command, context: CommandContext): void {
  const { io } = context;
  program
    .command('rebuild')
    .argument('<table>')
    .description('derive a table again from the log, without a pause for readers')
    .option('--no-wait', 'return at once')
    .action(async (table: string, options: { wait: boolean }, command: Command) => {
      const client = clientOf(context, command);
      const json = wantsJson(command);
      const signal = io.signal();
      let progress = (await client.json(`/v1/tables/${encodeURIComponent(table)}/rebuild`, {
        method: 'POST',
      })) as RebuildProgress;
      let shown = '';
      const show = () => {
        const line = json ? JSON.stringify(progress) : progressText(progress);
        if (line === shown) return;
        shown = line;
        if (json) io.out(`${line}\n`);
        else io.err(io.interactive ? `\r\x1b[K${line}` : `${line}\n`);
      };
      show();
      while (options.wait && progress.state !== 'done' && progress.state !== 'failed') {
        await delay(pollMs, signal);
        const { rebuilds } = (await client.json('/v1/rebuilds', { signal })) as {
          rebuilds: readonly RebuildProgress[];
        };
        // The newest one of the table: a list that still holds an older one has it before.
        const found = rebuilds.findLast((rebuild) => rebuild.table === progress.table);
        if (found === undefined)
          throw new AppError('internal', `the server no longer knows the rebuild of ${progress.table}`);
        progress = found;
        show();
      }
      if (!json && io.interactive) io.err('\n');
      if (progress.state === 'failed') {
        throw new AppError(
          progress.code ?? 'internal',
          `the rebuild of ${progress.table} failed: ${progress.error ?? 'no reason given'}`,
          { hint: progress.hint },
        );
      }
      if (!json && progress.state === 'done') {
        const pause =
          progress.pauseMs === undefined ? '' : `; readers and writers paused for ${millis(progress.pauseMs)} ms`;
        io.out(`Rebuilt "${progress.table}" from ${taken(progress)}${pause}.\n`);
      }
    });
}

function progressText(progress: RebuildProgress): string {
  const share = progress.headSeq > 0 ? `${Math.min(100, Math.floor((progress.seq / progress.headSeq) * 100))}%` : '';
  const eta = progress.etaSeconds === null ? '' : `, ${Math.ceil(progress.etaSeconds)} s left`;
  return `${progress.table}: ${progress.state} ${share} ${taken(progress)}, ${Math.round(progress.rowsPerSecond)}/s${eta}`;
}

/** Not the rows of the table: several records of one key become one row, and so do the rows of a group. */
function taken({ rows }: RebuildProgress): string {
  return rows === 1 ? '1 record' : `${rows} records`;
}

function millis(ms: number): string {
  return ms < 10 ? ms.toFixed(1) : ms.toFixed(0);
}
