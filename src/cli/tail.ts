// `writethrough tail TABLE`: the changes of a table as JSON lines, until Ctrl-C. When the connection breaks it comes back and goes
// on behind the last change that it printed, so a restart of the server leaves no gap and no repeat.
import type { Command } from 'commander';
import { createBackoff, isAbort } from '../core/backoff.js';
import { AppError, toAppError } from '../core/errors.js';
import { clientOf, type CommandContext } from './command-context.js';

interface TailOptions {
  readonly snapshot?: boolean;
  readonly after?: string;
}

export function tailCommand(program: Command, context: CommandContext): void {
  const { io } = context;
  program
    .command('tail')
    .argument('<table>')
    .description('follow the changes of a table as JSON lines')
    .option('--snapshot', 'current rows first, as op r')
    .option('--after <id>', 'go on behind this event id or version')
    .action(async (table: string, options: TailOptions, command: Command) => {
      const client = clientOf(context, command);
      const signal = io.signal();
      const backoff = createBackoff({ initialMs: 200, maxMs: 5_000 });
      let after = options.after;
      let connected = false;
      for (;;) {
        const params = new URLSearchParams({ format: 'ndjson' });
        if (after !== undefined) params.set('after', after);
        else if (options.snapshot === true) params.set('snapshot', 'true');
        try {
          const path = `/v1/tables/${encodeURIComponent(table)}/changes?${params.toString()}`;
          for await (const line of client.lines(path, { accept: 'application/x-ndjson', signal })) {
            const event = JSON.parse(line) as {
              id?: string;
              error?: { code?: string; detail?: string; hint?: string };
            };
            if (event.error !== undefined) throw streamError(event.error);
            io.out(`${line}\n`);
            after = event.id ?? after;
            connected = true;
            backoff.reset();
          }
        } catch (error) {
          if (signal.aborted || isAbort(error)) return;
          const known = toAppError(error);
          // Before the first line the user should hear what is wrong; later, only what waiting cannot mend ends it.
          const mayMend = known.retriable || !(error instanceof AppError);
          if (!connected || !mayMend) throw error;
          io.err(`${known.message}; trying again\n`);
        }
        await backoff.wait(signal);
      }
    });
}

function streamError(error: { readonly code?: string; readonly detail?: string; readonly hint?: string }): AppError {
  // Only a full queue is cured by coming back; the server's other reasons stay.
  const overloaded = error.code === 'overloaded' || error.code === 'not-ready';
  return new AppError(
    overloaded ? 'overloaded' : error.code === 'too-old' ? 'too-old' : 'internal',
    error.detail ?? 'the stream failed',
    {
      hint: error.hint,
      retriable: overloaded,
    },
  );
}
