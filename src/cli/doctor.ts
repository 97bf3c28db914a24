// `writethrough doctor`: what is wrong or risky with a source, each with the statement that repairs it. Of a URL or a connector file it asks
// the source itself, so that no service has to run; of a connector the server asks, which knows how far it has read.
// Exit code: 0 nothing stands in the way of capture, 1 something does, or warnings with --strict.
import { type Command, Option } from 'commander';
import type { Diagnosis } from '../connect/diagnosis.js';
import type { SourceFinding } from '../source/source-connector.js';
import { ExitStatus } from './cli-io.js';
import { clientOf, type CommandContext, wantsJson } from './command-context.js';
import { connectorPath } from './connect-output.js';
import { type ConnectorFile, readConnectorFile } from './connector-file.js';

export interface DoctorOptions {
  readonly source?: string;
  readonly configFile?: string;
  readonly connector?: string;
  readonly data?: string;
  readonly strict?: boolean;
}

/** A source that is asked without a server. */
export interface DoctorRequest {
  readonly of: { readonly source: string } | ConnectorFile;
  /** Data folder, for `${file:...}` of a connector file. */
  readonly data: string | undefined;
}

export function doctorCommand(
  program: Command,
  context: CommandContext,
  runDoctor: (request: DoctorRequest) => Promise<Diagnosis>,
): void {
  program
    .command('doctor')
    .description('what is wrong or risky with a source, with the statements that repair it')
    .addOption(
      new Option('--source <url>', 'a database: mysql://, mariadb:// or sqlite:').conflicts([
        'configFile',
        'connector',
      ]),
    )
    .addOption(new Option('--config-file <file>', 'the source of a connector file').conflicts(['connector']))
    .option('--connector <name>', 'the source of a connector of the server, and how far it has read (default: of each)')
    .option('--data <dir>', 'data folder, whose secrets ${file:...} of a connector file names')
    .option('--strict', 'warnings count as errors do')
    .addHelpText(
      'after',
      '\nExit codes: 0 nothing stands in the way of capture, 1 something does (--strict: or is a risk).',
    )
    .action(async (options: DoctorOptions, command: Command) => {
      const all = await diagnoses(options, context, command, runDoctor);
      context.io.out(wantsJson(command) ? `${JSON.stringify(all, null, 2)}\n` : textOf(all));
      const isBad = ({ errors, warnings }: Diagnosis) => errors > 0 || (options.strict === true && warnings > 0);
      if (all.some(isBad)) throw new ExitStatus(1);
    });
}

async function diagnoses(
  { source, configFile, connector, data }: DoctorOptions,
  context: CommandContext,
  command: Command,
  runDoctor: (request: DoctorRequest) => Promise<Diagnosis>,
): Promise<readonly Diagnosis[]> {
  if (source !== undefined) return [await runDoctor({ of: { source }, data })];
  if (configFile !== undefined) return [await runDoctor({ of: await readConnectorFile(configFile), data })];
  const client = clientOf(context, command);
  const names = connector === undefined ? ((await client.json('/connectors')) as readonly string[]) : [connector];
  return Promise.all(names.map(async (name) => (await client.json(connectorPath(name, '/doctor'))) as Diagnosis));
}

function textOf(all: readonly Diagnosis[]): string {
  if (all.length === 0) return 'There is no connector. `--source URL` examines a database without one.\n';
  return all.map(({ findings, ...head }) => `${headOf(head)}\n${findings.map(findingText).join('')}`).join('\n');
}

function headOf({ name, class: className, errors, warnings, notes }: Omit<Diagnosis, 'findings'>): string {
  const counts = [counted(errors, 'error'), counted(warnings, 'warning'), counted(notes, 'note')];
  const told = counts.filter((text) => text !== '').join(', ');
  return `${name} (${className}): ${told === '' ? 'nothing is wrong' : told}`;
}

function counted(count: number, what: string): string {
  return count === 0 ? '' : `${count} ${what}${count === 1 ? '' : 's'}`;
}

function findingText({ severity, code, object, property, message, hint }: SourceFinding): string {
  const about = object ?? property;
  const head = [severity.padEnd(7), code, ...(about === undefined ? [] : [about])].join('  ');
  return `\n${head}\n  ${message}\n${hint === undefined ? '' : `  repair: ${hint}\n`}`;
}
