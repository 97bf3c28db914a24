#!/usr/bin/env node
// The process entry: the command line, and what `start` and `demo` run.
import { buildProgram, runProgram } from './cli/program.js';
import { version } from './process/version.js';

// The reader of our output has gone (`writethrough tail orders | head`): nothing is left to do.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

// Loaded when they are asked for: a command that is a client of the HTTP API needs nothing of the service.
const program = buildProgram({
  version,
  runStart: async (options) => (await import('./process/run-start.js')).runStart(options),
  runDoctor: async (request) => (await import('./process/run-doctor.js')).runDoctor(request),
  runCheck: async (request) => (await import('./process/run-check.js')).runCheck(request),
  runDemo: async (options) => (await import('./demo/run-demo.js')).runDemo(options),
});
const code = await runProgram(program, process.argv.slice(2));
for (const stream of [process.stdout, process.stderr])
  await new Promise<void>((resolve) => stream.write('', () => resolve()));
// Not left to Node: what it does at an end of its own may go on for ever, at full speed, where a socket was cut (nodejs/node#47748).
process.exit(code);
