// What is asked of a connector's source, or done to it, outside a task: whether a configuration works, and taking capture away again.
import { AppError, toAppError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import type {
  KnownSource,
  Recognition,
  SourceConfig,
  SourceFinding,
  SourceInquiry,
} from '../source/source-connector.js';
import type { PluginFamily } from './config-def.js';
import type { ConnectorConfig } from './connect-facade.js';
import { liveError } from './connector-answers.js';
import { checkConfig, type CheckedConfig } from './connector-config.js';
import { createRedact, redactError, type Redact } from './connector-secrets.js';

export interface LiveSourceEnv {
  readonly openInquiry: (family: PluginFamily, source: SourceConfig) => SourceInquiry;
  readonly resolveReferences: (config: ConnectorConfig) => ConnectorConfig;
  readonly logger: Logger;
  /** Ends what a source is being asked. */
  readonly closing: AbortSignal;
}

/** Where a source is. */
const addressNames = ['connector.class', 'database.hostname', 'database.port', 'database.file'];
/** Which rows are captured at all. */
const filterNames = ['database.include.list', 'database.exclude.list', 'table.include.list', 'table.exclude.list'];

export class LiveSource {
  readonly #env: LiveSourceEnv;

  constructor(env: LiveSourceEnv) {
    this.#env = env;
  }

  /** Rejects with what stands against this configuration, without anything secret in it. */
  async check(name: string, config: ConnectorConfig): Promise<void> {
    const redact = createRedact(config, this.#env.resolveReferences);
    try {
      await this.#check(name, config, redact);
    } catch (error) {
      throw redactError(toAppError(error), redact);
    }
  }

  async #check(name: string, config: ConnectorConfig, redact: Redact): Promise<void> {
    const checked = checkConfig(name, this.#env.resolveReferences(config));
    const findings = await this.findings(checked);
    const errors = findings.filter((f) => f.severity === 'error');
    if (errors.length > 0) throw liveError(name, errors);
    for (const { severity, message, property } of [...checked.notes, ...findings]) {
      if (severity !== 'error')
        this.#env.logger[severity === 'warning' ? 'warn' : 'debug'](redact(message), { connector: name, property });
    }
  }

  /**
   * Throws bad-connector-config for a change that would leave tables without a part of their rows. A binlog holds what has changed
   * since: a table that is let in later would begin in the middle, and one that comes back would lack what was missed. (SQLite reads
   * a new table whole.)
   */
  checkChange(name: string, earlier: ConnectorConfig, config: ConnectorConfig): void {
    const checked = (each: ConnectorConfig) => checkConfig(name, this.#env.resolveReferences(each));
    const after = checked(config);
    if (after.plugin.family !== 'mysql') return;
    let before: CheckedConfig;
    try {
      before = checked(earlier);
    } catch {
      return; // such as a reference that is gone: the update is the way to mend it, and there is nothing to compare with
    }
    const changed = filterNames.filter((filter) => before.source[filter] !== after.source[filter]);
    if (changed.length === 0) return;
    throw new AppError(
      'bad-connector-config',
      `${changed.join(', ')} cannot be changed once connector ${name} has read`,
      {
        detail: 'a table that is let in now would have only what changes from here on',
        hint: `make a second connector for further tables, or \`writethrough connect delete ${name} --topics\` and create it again`,
      },
    );
  }

  /** Asks the source behind a configuration whether it is the known one. */
  async recognise(name: string, config: ConnectorConfig, known: KnownSource): Promise<Recognition> {
    const redact = createRedact(config, this.#env.resolveReferences);
    try {
      const checked = checkConfig(name, this.#env.resolveReferences(config));
      return await this.#with(checked, (source) => source.recognise(known));
    } catch (error) {
      throw redactError(toAppError(error), redact);
    }
  }

  /** Whether a configuration leads elsewhere than an earlier one; true also where that cannot be told. */
  isElsewhere(name: string, earlier: ConnectorConfig, config: ConnectorConfig): boolean {
    const { source } = checkConfig(name, this.#env.resolveReferences(config));
    let before: CheckedConfig;
    try {
      before = checkConfig(name, this.#env.resolveReferences(earlier));
    } catch {
      return true; // such as a reference that is gone
    }
    return addressNames.some((part) => before.source[part] !== source[part]);
  }

  findings(checked: CheckedConfig): Promise<readonly SourceFinding[]> {
    return this.#with(checked, (source) => source.validate());
  }

  /** Takes away what capture has added to the source. */
  async uninstall({ name, config }: { readonly name: string; readonly config: ConnectorConfig }): Promise<void> {
    await this.#with(checkConfig(name, this.#env.resolveReferences(config)), async (source) => source.uninstall?.());
  }

  async #with<T>({ plugin, source }: CheckedConfig, use: (source: SourceInquiry) => Promise<T>): Promise<T> {
    const { closing, logger } = this.#env;
    const inquiry = this.#env.openInquiry(plugin.family, source);
    const onClosing = () => {
      inquiry.close().catch((error: unknown) => logger.debug('closing a source', { error: toAppError(error).message }));
    };
    closing.addEventListener('abort', onClosing, { once: true });
    try {
      return await use(inquiry);
    } catch (error) {
      if (!closing.aborted) throw error;
      throw new AppError('not-ready', 'the service stops', { retriable: true, cause: error });
    } finally {
      closing.removeEventListener('abort', onClosing);
      await inquiry.close();
    }
  }
}
