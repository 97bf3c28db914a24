#!/usr/bin/env node
// The process entry: the command line, and what `start` and `demo` run.
import { buildProgram, runProgram } from './cli/program.js';
import { runDemo } from './demo/run-demo.js';
import { runStart } from './run-start.js';
import { version } from './version.js';

// The reader of our output has gone (`writethrough tail orders | head`): nothing is left to do.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

process.exitCode = await runProgram(buildProgram({ version, runStart, runDemo }), process.argv.slice(2));
