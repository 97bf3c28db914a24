// Whether the process can be asked: what it was started for can be read, and is not older than allowed. A connector whose source was
// never reached, that has failed or whose first snapshot is not complete keeps it from being ready, whatever its age; one that somebody
// has paused, stopped or deleted, once its tables are older than allowed (`ready.standing: ignore` leaves those out: their rows tell
// their age all the same). One that is configured to take a single snapshot is done.
import { describeAge, printAge, type Age } from '../core/freshness.js';
import type { StatusFacade } from '../server/status-facade.js';

export interface ReadyLimits {
  readonly lagMs: number;
  readonly standing: 'count' | 'ignore';
}

export interface ConnectorStanding extends Age {
  /** Its first snapshot is complete. */
  readonly readable: boolean;
}

export function readinessOf(
  standings: readonly ConnectorStanding[],
  limits: ReadyLimits,
): ReturnType<StatusFacade['readiness']> {
  const reasons = standings.flatMap((each) => reasonAgainst(each, limits) ?? []);
  return reasons.length === 0 ? { ready: true } : { ready: false, reason: reasons.join('; ') };
}

function reasonAgainst(of: ConnectorStanding, limits: ReadyLimits): string | undefined {
  const { standing, readable, lagMs } = of;
  const onPurpose = standing === 'paused' || standing === 'stopped' || standing === 'deleted';
  if (standing === 'completed' || (onPurpose && limits.standing === 'ignore')) return undefined;
  const old = `its tables may be ${printAge(lagMs)} old (the lag is ${lagMs} ms)`;
  if (standing === 'failed' || standing === 'never-reached') return `${describeAge(of)}; ${old}`;
  if (!readable) return `${describeAge(of)}; its first snapshot is not complete`;
  return lagMs > limits.lagMs ? `${describeAge(of)}; ${old}` : undefined;
}
