// Runs the tasks of one connector, one after the other, until its signal aborts, its work is done, or it fails for good; what becomes of a
// failure says restarts.ts. The herder starts a loop and ends it, and reads what it leaves in `held`.
import { isDeepStrictEqual } from 'node:util';
import { delay, isAbort, passed, untilAborted } from '../core/backoff.js';
import { errorFields, toAppError, type AppError } from '../core/errors.js';
import { retrySettings, type Retry } from '../core/retries.js';
import type { SourceReport } from '../source/source-connector.js';
import type { ConnectorConfig } from './connect-facade.js';
import { checkConfig, type CheckedConfig } from './connector-config.js';
import { createRedact, redactError } from './connector-secrets.js';
import { idleState, type HeldConnector } from './held-connector.js';
import type { HerderEnv } from './herder-env.js';
import { isOfValues, Restarts } from './restarts.js';

/** How often it is looked whether values that a failed connector refers to are others. */
const lookMs = 500;

export interface TaskLoopEnv extends Pick<
  HerderEnv,
  'store' | 'startTask' | 'freshness' | 'resolveReferences' | 'stillLeads' | 'onRestart' | 'logger'
> {
  /** Its source is reached; told once per task. */
  readonly reached: (held: HeldConnector, signal: AbortSignal) => Promise<void>;
}

export class TaskLoop {
  readonly #env: TaskLoopEnv;
  readonly #held: HeldConnector;
  readonly #signal: AbortSignal;

  constructor(env: TaskLoopEnv, held: HeldConnector, signal: AbortSignal) {
    this.#env = env;
    this.#held = held;
    this.#signal = signal;
  }

  async run(): Promise<void> {
    let restarts: Restarts | undefined;
    const signal = this.#signal;
    while (!signal.aborted) {
      let resolved: ConnectorConfig | undefined;
      try {
        this.#begin();
        resolved = this.#resolve();
        const { name } = this.#held.stored;
        const checked = checkConfig(name, resolved);
        restarts ??= new Restarts(retrySettings(checked.source));
        await this.#task(checked, restarts);
        return;
      } catch (error) {
        if (signal.aborted) return;
        const goesOn = await this.#failed(toAppError(error), restarts ?? new Restarts(retrySettings({})), resolved);
        if (!goesOn) return;
      }
    }
  }

  #begin(): void {
    const held = this.#held;
    held.error = undefined;
    // What it refers to may have changed since the last start.
    held.redact = createRedact(held.stored.config, (config) => this.#env.resolveReferences(config, held.stored.owner));
    this.#env.freshness.stands(held.stored.name, { kind: 'followed' });
    this.#heard({ state: idleState });
  }

  #resolve(): ConnectorConfig {
    const { config, owner } = this.#held.stored;
    return this.#env.resolveReferences(config, owner);
  }

  /** Resolves when it has come to its end by itself, as `initial_only` does, or was stopped. */
  async #task(checked: CheckedConfig, restarts: Restarts): Promise<void> {
    const held = this.#held;
    const { name } = held.stored;
    let learning: Promise<void> | undefined;
    held.task = this.#env.startTask(name, checked, (report) => {
      if (this.#signal.aborted) return;
      this.#heard(report);
      const { phase } = report.state;
      if (phase === 'streaming') restarts.works();
      // It reads from behind the position, so this is the source that was read, or one that has taken its history over.
      if (phase === 'streaming' || phase === 'snapshot') learning ??= this.#env.reached(held, this.#signal);
    });
    held.state = 'RUNNING';
    await held.task.done;
    if (this.#signal.aborted) return;
    held.state = 'PAUSED';
    this.#env.freshness.stands(name, { kind: 'completed' });
  }

  /** True: it is started again. */
  async #failed(thrown: AppError, restarts: Restarts, resolved: ConnectorConfig | undefined): Promise<boolean> {
    const held = this.#held;
    const { name } = held.stored;
    const error = (held.error = redactError(thrown, held.redact));
    const position = await this.#position();
    if (this.#signal.aborted) return false;
    const after = restarts.after(error, position);
    if (after.kind === 'again') return this.#again(error, after.retry, after.waitMs);
    held.error = after.error;
    if (!(await this.#stillLeads())) return false;
    held.state = 'FAILED';
    this.#env.freshness.stands(name, { kind: 'failed', reason: after.error.message });
    this.#env.logger.error('connector failed', { connector: name, ...errorFields(after.error) });
    return isOfValues(after.error) && this.#otherValues(resolved);
  }

  async #again({ code, message, detail, hint }: AppError, retry: Retry, waitMs: number): Promise<boolean> {
    const held = this.#held;
    const { name } = held.stored;
    held.state = 'RESTARTING';
    this.#heard({ state: { phase: 'waiting', reason: message, retry } });
    const { attempt, at } = retry;
    const lines = { connector: name, code, error: message, detail, hint, attempt, at };
    this.#env.logger[attempt === 1 ? 'warn' : 'debug']('connector is tried again', lines);
    if (!(await passed(delay(waitMs, this.#signal), this.#signal))) return false;
    this.#env.onRestart(name);
    return true;
  }

  /** Waits until the configuration resolves to other values; false: it refers to none, or is stopped. */
  async #otherValues(refused: ConnectorConfig | undefined): Promise<boolean> {
    const { config, name } = this.#held.stored;
    if (!refersToValues(config)) return false;
    while (await passed(delay(lookMs, this.#signal), this.#signal)) {
      let now: ConnectorConfig;
      try {
        now = this.#resolve();
      } catch {
        continue; // what it failed for, or another one is missing
      }
      if (isDeepStrictEqual(now, refused)) continue;
      this.#env.logger.info('values that the connector refers to have changed: it is started again', {
        connector: name,
      });
      this.#env.onRestart(name);
      return true;
    }
    return false;
  }

  async #position(): Promise<string | null> {
    try {
      return (await untilAborted(this.#signal, this.#env.store.progress(this.#held.stored.name))).position;
    } catch (error) {
      // It is asked in order to tell one failure from the next: an engine that does not answer is not the connector's trouble.
      if (!isAbort(error))
        this.#env.logger.debug('the position is not known', {
          connector: this.#held.stored.name,
          error: toAppError(error).message,
        });
      return null;
    }
  }

  async #stillLeads(): Promise<boolean> {
    try {
      return await untilAborted(this.#signal, this.#env.stillLeads());
    } catch (abort) {
      if (!isAbort(abort)) throw abort;
      return false;
    }
  }

  #heard(report: SourceReport): void {
    const held = this.#held;
    const { reason } = report.state;
    const state = reason === undefined ? report.state : { ...report.state, reason: held.redact(reason) };
    held.source = this.#env.freshness.heard(held.stored.name, { ...report, state });
  }
}

function refersToValues(config: ConnectorConfig): boolean {
  return Object.values(config).some((value) => /\$\{(?:env|file):/.test(value));
}
