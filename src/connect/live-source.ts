// What is asked of a connector's source, or done to it, outside a task: whether a configuration works, and taking capture away again.
import { isDeepStrictEqual } from 'node:util';
import { AppError, toAppError, unreachable } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import type {
  KnownSource,
  ReadSoFar,
  Recognition,
  SourceConfig,
  SourceFinding,
  SourceInquiry,
  WantedPosition,
} from '../source/source-connector.js';
import type { PluginFamily } from './config-def.js';
import { askableSource, inspectConfig, type Inspection } from './config-inspection.js';
import type { ConnectorConfig } from './connect-facade.js';
import { liveError } from './connector-answers.js';
import { diagnosisOf, type Diagnosis } from './diagnosis.js';
import { checkConfig, checkInspected, configError, type CheckedConfig } from './connector-config.js';
import type { OutputSettings } from './output-settings.js';
import type { Owner } from './reach.js';
import type { StoredConnector } from './stored-connector.js';
import { createRedact, redactError, type Redact } from './connector-secrets.js';

export interface LiveSourceEnv {
  readonly openInquiry: (family: PluginFamily, source: SourceConfig) => SourceInquiry;
  readonly resolveReferences: (config: ConnectorConfig, owner: Owner) => ConnectorConfig;
  readonly logger: Logger;
  /** Ends what a source is being asked. */
  readonly closing: AbortSignal;
}

/** A connector as somebody wants it, or as it is kept. */
export type Wanted = Pick<StoredConnector, 'name' | 'config' | 'owner'>;

/** Where a source is. */
const addressNames = ['connector.class', 'database.hostname', 'database.port', 'database.file'];

/** What the records of a topic are read by. */
const formTexts = {
  topicPrefix: 'the prefix of topics',
  valueFormat: 'the format of values',
  keyFormat: 'the format of keys',
  keyShape: 'the shape of keys',
  shape: 'the shape of values',
  envelope: 'what envelopes tell',
  tombstones: 'tombstones',
  schemas: 'schemas in JSON',
  types: 'the handling modes of types',
  columnRules: 'masks of columns',
  transforms: 'transforms',
} as const satisfies Partial<Record<keyof OutputSettings, string>>;
const formNames = Object.keys(formTexts) as (keyof typeof formTexts)[];

export class LiveSource {
  readonly #env: LiveSourceEnv;

  constructor(env: LiveSourceEnv) {
    this.#env = env;
  }

  /** Rejects with what stands against this configuration, without anything secret in it. */
  async check(wanted: Wanted): Promise<void> {
    const redact = this.#redact(wanted);
    try {
      await this.#check(wanted, redact);
    } catch (error) {
      throw redactError(toAppError(error), redact);
    }
  }

  async #check(wanted: Wanted, redact: Redact): Promise<void> {
    const { name } = wanted;
    const inspection = inspectConfig(name, this.#resolve(wanted));
    const problems = inspection.findings.filter((f) => f.severity === 'error');
    if (problems.length > 0) {
      const live = (await this.problems(inspection)).filter((f) => f.severity === 'error');
      throw configError(name, [...problems, ...live]);
    }
    const checked = checkInspected(name, inspection);
    const findings = await this.findings(checked);
    const errors = findings.filter((f) => f.severity === 'error');
    if (errors.length > 0) throw liveError(name, errors);
    for (const { severity, message, property } of [...checked.notes, ...findings]) {
      if (severity !== 'error')
        this.#env.logger[severity === 'warning' ? 'warn' : 'debug'](redact(message), { connector: name, property });
    }
  }

  /**
   * Throws bad-connector-config for a change that would leave topics with records of two forms. Filters may change: what they let in is
   * read, and what they leave out stands still.
   */
  checkChange(wanted: Wanted, earlier: ConnectorConfig): void {
    const { name } = wanted;
    const after = this.#checked(wanted);
    let before: CheckedConfig;
    try {
      before = this.#checked({ ...wanted, config: earlier });
    } catch {
      return; // such as a reference that is gone: the update is the way to mend it, and there is nothing to compare with
    }
    const form = formNames.filter((part) => !isDeepStrictEqual(before.output[part], after.output[part]));
    if (form.length === 0) return;
    throw new AppError(
      'bad-connector-config',
      `${form.map((part) => formTexts[part]).join(', ')} cannot be changed once connector ${name} has read`,
      {
        detail: 'a topic would hold records of two forms, or a table would go on in another topic',
        hint: `make a second connector, or \`writethrough connect delete ${name} --topics\` and create it again`,
      },
    );
  }

  /** Asks the source behind a configuration whether it is the known one. */
  async recognise(wanted: Wanted, known: KnownSource): Promise<Recognition> {
    const redact = this.#redact(wanted);
    try {
      return await this.#with(this.#checked(wanted), (source) => source.recognise(known));
    } catch (error) {
      throw redactError(toAppError(error), redact);
    }
  }

  /** Whether a configuration leads elsewhere than an earlier one; true also where that cannot be told. */
  isElsewhere(wanted: Wanted, earlier: ConnectorConfig): boolean {
    const { source } = this.#checked(wanted);
    let before: CheckedConfig;
    try {
      before = this.#checked({ ...wanted, config: earlier });
    } catch {
      return true; // such as a reference that is gone
    }
    return addressNames.some((part) => before.source[part] !== source[part]);
  }

  findings(checked: Pick<CheckedConfig, 'plugin' | 'source'>, read?: ReadSoFar): Promise<readonly SourceFinding[]> {
    return this.#with(checked, (source) => source.validate(read));
  }

  /** What the server says of a configuration, as far as that is in order; a source that cannot be asked is a problem like others. */
  async problems(inspection: Inspection, read?: ReadSoFar): Promise<readonly SourceFinding[]> {
    const source = askableSource(inspection);
    if (source === undefined) return [];
    try {
      return await this.findings({ plugin: inspection.plugin, source }, read);
    } catch (error) {
      const { code, message, hint, place } = toAppError(error);
      const property = code === 'bad-connector-config' ? place?.path : addressProperty(inspection.plugin.family, code);
      return [{ severity: 'error', code, property, message, hint }];
    }
  }

  /** Everything that is wrong or risky, of the configuration and of the source; nothing secret is in it. */
  async diagnose(wanted: Wanted, read?: ReadSoFar): Promise<Diagnosis> {
    const { name } = wanted;
    const redact = this.#redact(wanted);
    try {
      const inspection = inspectConfig(name, this.#resolve(wanted));
      const findings = [...inspection.findings, ...(await this.problems(inspection, read))];
      return diagnosisOf(name, inspection.plugin.name, findings, redact);
    } catch (error) {
      throw redactError(toAppError(error), redact);
    }
  }

  /** The position for an offset that somebody wants; nothing secret is in what it rejects with. */
  async place(of: Wanted, wanted: WantedPosition): Promise<string | null> {
    const redact = this.#redact(of);
    try {
      return await this.#with(this.#checked(of), (source) => source.place(wanted));
    } catch (error) {
      throw redactError(toAppError(error), redact);
    }
  }

  /** Takes away what capture has added to the source. */
  async uninstall(of: Wanted): Promise<void> {
    await this.#with(this.#checked(of), async (source) => source.uninstall?.());
  }

  #resolve({ config, owner }: Pick<Wanted, 'config' | 'owner'>): ConnectorConfig {
    return this.#env.resolveReferences(config, owner);
  }

  #checked(of: Wanted): CheckedConfig {
    return checkConfig(of.name, this.#resolve(of));
  }

  #redact({ config, owner }: Wanted): Redact {
    return createRedact(config, (part) => this.#env.resolveReferences(part, owner));
  }

  async #with<T>(
    { plugin, source }: Pick<CheckedConfig, 'plugin' | 'source'>,
    use: (source: SourceInquiry) => Promise<T>,
  ): Promise<T> {
    const { closing, logger } = this.#env;
    if (closing.aborted) throw stops();
    const inquiry = this.#env.openInquiry(plugin.family, source);
    const onClosing = () => {
      inquiry.close().catch((error: unknown) => logger.debug('closing a source', { error: toAppError(error).message }));
    };
    closing.addEventListener('abort', onClosing, { once: true });
    try {
      return await use(inquiry);
    } catch (error) {
      if (!closing.aborted) throw error;
      throw stops(error);
    } finally {
      closing.removeEventListener('abort', onClosing);
      await inquiry.close();
    }
  }
}

function stops(cause?: unknown): AppError {
  return new AppError('not-ready', 'the service stops', { retriable: true, cause });
}

/** What to look at when a source cannot be asked. */
function addressProperty(family: PluginFamily, code: string): string {
  switch (family) {
    case 'sqlite':
      return 'database.file';
    case 'polling':
      return code === 'source-access-denied' ? 'connection.password' : 'connection.url';
    case 'mysql':
      return code === 'source-access-denied' ? 'database.password' : 'database.hostname';
    default:
      return unreachable(family);
  }
}
