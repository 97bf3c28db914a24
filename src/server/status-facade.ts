// What the server asks of the process as a whole: the one page that tells an operator how it stands.
import type { Standing } from '../core/freshness.js';
import type { MetricSample } from '../core/metrics.js';
import type { ConnectorStatus } from '../connect/connect-facade.js';
import type { QueryStatus, RebuildProgress } from '../projector/statement-facade.js';
import type { Freshness } from '../query/query-facade.js';

export type ServiceState = 'starting' | 'running' | 'degraded' | 'stopping';

export interface TableStatus {
  readonly name: string;
  readonly rows: number;
  /** False while its first snapshot is not complete. */
  readonly visible: boolean;
  /** How old its rows may be at most, how the sources behind it stand, and the same as a time of our clock. */
  readonly lagMs: number;
  readonly standing: Standing;
  readonly containsUpTo: string;
  /** Why nothing newer comes, in words. */
  readonly reason?: string;
}

export interface OutboxState {
  readonly entries: number;
  readonly bytes: number;
  /** From here on nothing more is applied until there is room. */
  readonly bytesMax: number;
  readonly full: boolean;
  /** Of the oldest; 0: nothing waits. */
  readonly ageMs: number;
}

export interface MemoryStatus {
  /** Null: it cannot be read now, since the process has no file descriptor left. */
  readonly rssBytes: number | null;
  readonly heapBytes: number;
  /** Data file and write-ahead log on disk. */
  readonly dataBytes: number;
}

/** Whether this process writes the log or follows one that does. */
export interface Leadership {
  readonly role: 'leader' | 'follower';
  /** Address of the leader, this process's own where it leads; null while there is none. */
  readonly leader: string | null;
}

export interface ServiceStatus extends Freshness, Leadership {
  /** Whole, by producer; `position` has their tokens. */
  readonly positions: Readonly<Record<string, string>>;
  readonly serviceVersion: string;
  readonly uptimeSeconds: number;
  readonly state: ServiceState;
  /** Why it is degraded, in one sentence each. */
  readonly reasons: readonly string[];
  readonly connectors: readonly ConnectorStatus[];
  readonly tables: readonly TableStatus[];
  readonly queries: readonly QueryStatus[];
  readonly rebuilds: readonly RebuildProgress[];
  /** What waits to be written to Kafka; undefined with the embedded log, where nothing waits. */
  readonly outbox?: OutboxState | undefined;
  readonly memory: MemoryStatus;
}

export interface StatusFacade {
  status(): Promise<ServiceStatus>;
  /** What the threads have counted, and gauges read now. */
  metrics(): Promise<readonly MetricSample[]>;
  /** For probes: synchronous and cheap. Ready: able to serve reads, and caught up to the configured lag. */
  readiness(): { readonly ready: boolean; readonly reason?: string | undefined };
  /** Synchronous and cheap. */
  leadership(): Leadership;
  /** Facts that never change while the process lives. */
  readonly identity: { readonly version: string; readonly serviceId: string; readonly logId: string };
}
