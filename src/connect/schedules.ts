// What a connector does by the clock: its tables are compared with their source, and read again, every so often. When each was begun last is
// kept with the connector, so that a restart neither forgets it nor begins anew with counting; a schedule that is new is due for the first
// time when its interval has passed. What is due while the connector does not stream, or while tables are compared or read again already,
// is begun behind that.
import { delay, passed } from '../core/backoff.js';
import { toAppError, unreachable } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import type { VerifyRequest } from '../source/verification.js';
import type { ConnectorConfig } from './connect-facade.js';
import type { HeldConnector } from './held-connector.js';
import {
  intervalsOf,
  scheduleDefaults,
  scheduleKinds,
  scheduleProperties,
  type ScheduleKind,
} from './schedule-settings.js';
import type { StoredConnector } from './stored-connector.js';

export interface SchedulesEnv {
  readonly nowMs: () => number;
  /** Keeps when one is begun; never rejects. */
  readonly keep: (held: HeldConnector, begun: StoredConnector['begun']) => Promise<void>;
  /** Throws where another one is under way. */
  readonly verify: (name: string, request: VerifyRequest) => void;
  readonly logger: Logger;
}

/** Between two looks, whatever is due when. */
const lookMsMax = 5_000;

/** Until the signal aborts; never rejects. */
export async function runSchedules(env: SchedulesEnv, held: HeldConnector, signal: AbortSignal): Promise<void> {
  const { config } = held.stored;
  const intervals = intervalsOf(config);
  const asked = scheduleKinds.filter((kind) => intervals[kind] !== undefined);
  if (asked.length === 0) return;
  const stored = held.stored.begun ?? {};
  const fresh = asked.filter((kind) => stored[kind] === undefined);
  if (fresh.length > 0)
    await env.keep(held, { ...stored, ...Object.fromEntries(fresh.map((kind) => [kind, env.nowMs()])) });
  const shortest = Math.min(...asked.map((kind) => intervals[kind]!));
  while (await passed(delay(Math.min(lookMsMax, shortest / 2), signal), signal)) {
    for (const kind of asked) {
      const begun = held.stored.begun?.[kind] ?? env.nowMs();
      if (!signal.aborted && env.nowMs() >= begun + intervals[kind]!) await begin(env, held, kind, config);
    }
  }
}

async function begin(
  env: SchedulesEnv,
  held: HeldConnector,
  kind: ScheduleKind,
  config: ConnectorConfig,
): Promise<void> {
  const { name } = held.stored;
  const { task, source } = held;
  if (task === undefined || source.phase !== 'streaming' || source.snapshot !== undefined) return;
  const nowMs = env.nowMs();
  try {
    switch (kind) {
      case 'verify':
        env.verify(name, {
          tables: [],
          repair: (config[scheduleProperties.repair] ?? scheduleDefaults.repair) === 'true',
          rowsPerSecond: Number(config[scheduleProperties.rate] ?? scheduleDefaults.rate) || null,
        });
        break;
      case 'snapshot':
        await task.snapshot({ tables: [] });
        break;
      default:
        unreachable(kind);
    }
    await env.keep(held, { ...held.stored.begun, [kind]: nowMs });
  } catch (error) {
    const { code, message, retriable, hint } = toAppError(error);
    // What stands in the way for now is looked at again soon; anything else, when it is due the next time.
    if (retriable || code === 'verify-running' || code === 'not-ready') return;
    env.logger.warn('what a schedule asks for cannot be done', { connector: name, kind, code, error: message, hint });
    await env.keep(held, { ...held.stored.begun, [kind]: nowMs });
  }
}
