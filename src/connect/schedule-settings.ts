// What a configuration asks to be done by the clock, and how that is shown.
import type { ConnectorConfig, ScheduleStatus } from './connect-facade.js';
import type { StoredConnector } from './stored-connector.js';

export const scheduleProperties = {
  snapshot: 'snapshot.schedule.interval.ms',
  verify: 'verify.schedule.interval.ms',
  rate: 'verify.schedule.rows.per.second',
  repair: 'verify.schedule.repair',
} as const;

export const scheduleDefaults = { interval: '0', rate: '2000', repair: 'false' } as const;

export type ScheduleKind = 'snapshot' | 'verify';
export const scheduleKinds: readonly ScheduleKind[] = ['verify', 'snapshot'];

/** By kind; absent: it is not asked for. */
export function intervalsOf(config: ConnectorConfig): Partial<Record<ScheduleKind, number>> {
  return Object.fromEntries(
    scheduleKinds.flatMap((kind) => {
      const intervalMs = Number(config[scheduleProperties[kind]] ?? scheduleDefaults.interval);
      return intervalMs > 0 ? [[kind, intervalMs]] : [];
    }),
  );
}

export function scheduleStatus({ config, begun = {} }: Pick<StoredConnector, 'config' | 'begun'>): {
  readonly schedules?: Partial<Record<ScheduleKind, ScheduleStatus>>;
} {
  const schedules = Object.entries(intervalsOf(config)).map(([kind, intervalMs]) => {
    const at = begun[kind as ScheduleKind];
    const iso = (ms: number) => new Date(ms).toISOString();
    return [kind, { intervalMs, ...(at !== undefined && { since: iso(at), due: iso(at + intervalMs) }) }] as const;
  });
  return schedules.length === 0 ? {} : { schedules: Object.fromEntries(schedules) };
}
