// The command line: global options, the subcommands, and what a failure looks like and exits with. Commands are clients of the
// HTTP API, except start and demo, whose work is handed in.
// Exit codes: 0 done; 1 the command failed, the error is on stderr, or it found what it looks for (doctor, verify, check); 2 the command line itself is wrong.
import { Command, CommanderError } from 'commander';
import { isAbort } from '../core/backoff.js';
import type { Diagnosis } from '../connect/diagnosis.js';
import { toAppError } from '../core/errors.js';
import { checkCommand, type CheckRequest, type CheckResult } from './check.js';
import { type CliIo, ExitStatus, processIo } from './cli-io.js';
import { defaultUrl, wantsJson } from './command-context.js';
import { completionCommand } from './completion.js';
import { connectCommand } from './connect.js';
import { demoCommand, type DemoOptions } from './demo.js';
import { doctorCommand, type DoctorRequest } from './doctor.js';
import { errorJson, errorText } from './print-error.js';
import { queryCommand } from './query.js';
import { rebuildCommand } from './rebuild.js';
import { snapshotCommand } from './snapshot.js';
import { startCommand, type StartOptions } from './start.js';
import { statusCommand } from './status.js';
import { tablesCommand } from './tables.js';
import { topicsCommand } from './topics.js';
import { tailCommand } from './tail.js';
import { validateCommand } from './validate.js';
import { verifyCommand } from './verify.js';
import { versionCommand } from './version.js';

export interface ProgramParts {
  readonly version: string;
  /** Resolve when the service has stopped. */
  readonly runStart: (options: StartOptions) => Promise<void>;
  readonly runDemo: (options: DemoOptions) => Promise<void>;
  /** Asks a source without a server. */
  readonly runDoctor: (request: DoctorRequest) => Promise<Diagnosis>;
  /** Reads a data file. */
  readonly runCheck: (request: CheckRequest) => Promise<CheckResult>;
  readonly io?: CliIo | undefined;
}

export function buildProgram({
  version,
  runStart,
  runDemo,
  runDoctor,
  runCheck,
  io = processIo,
}: ProgramParts): Command {
  const program = new Command('writethrough');
  program
    .description('Rows of your database as an event stream and as tables to query.')
    .version(`writethrough ${version}`, '--version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .option('--url <url>', `address of the server (default ${defaultUrl}, or WRITETHROUGH_URL)`)
    .option('--json', 'print JSON for programs')
    .addHelpText('after', '\nExit codes: 0 done, 1 failed (the error is on stderr), 2 wrong usage.')
    .configureOutput({ writeOut: io.out, writeErr: io.err })
    .showHelpAfterError('(add --help for the options)')
    .exitOverride();
  const context = { io, version };
  startCommand(program, runStart);
  demoCommand(program, runDemo);
  connectCommand(program, context);
  statusCommand(program, context);
  tablesCommand(program, context);
  topicsCommand(program, context);
  queryCommand(program, context);
  tailCommand(program, context);
  rebuildCommand(program, context);
  snapshotCommand(program, context);
  validateCommand(program, context);
  doctorCommand(program, context, runDoctor);
  verifyCommand(program, context);
  checkCommand(program, context, runCheck);
  versionCommand(program, context);
  completionCommand(program, context);
  return program;
}

/** Runs a command line (`argv` without node and script) and gives the exit code; nothing is thrown. */
export async function runProgram(program: Command, argv: readonly string[], io: CliIo = processIo): Promise<number> {
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof ExitStatus) return error.status;
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    // The user ended a command that goes on until then.
    if (isAbort(error)) return 0;
    const known = toAppError(error);
    io.err(wantsJson(program) ? errorJson(known) : errorText(known));
    return 1;
  }
}
