#!/usr/bin/env node
// The process entry: the command line, and what `start` and `demo` run.
import { runDemo } from './demo/run-demo.js';
import { buildProgram, runProgram } from './cli/program.js';
import { runStart } from './run-start.js';
import { version } from './version.js';

process.exitCode = await runProgram(buildProgram({ version, runStart, runDemo }), process.argv.slice(2));
