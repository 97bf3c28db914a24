// The one page that tells how the process stands, and the answers of the probes.
import { statSync } from 'node:fs';
import type { ConnectFacade, ConnectorStatus } from '../connect/connect-facade.js';
import type { SourceFreshness } from '../connect/source-freshness.js';
import { describeAge, staleness } from '../core/freshness.js';
import { heapBytes, residentBytes } from '../core/process-memory.js';
import { metricDefinitions, type Labels, type MetricName, type MetricSample } from '../core/metrics.js';
import type { TableSummary } from '../query/query-facade.js';
import type { QueryService } from '../query/query-service.js';
import type { Leadership, OutboxState, ServiceStatus, StatusFacade, TableStatus } from '../server/status-facade.js';
import type { EngineApi } from '../engine/engine-api.js';
import type { OutboxStatus } from '../engine/outbox.js';
import type { Remote } from '../threads/rpc.js';
import { readinessOf } from './readiness.js';
import type { ServiceFailure } from './service-failure.js';
import { version } from './version.js';

export interface StatusEnv {
  readonly failure: ServiceFailure;
  /** Why it is not known yet which connector `--source` stands for. */
  readonly undecided: () => string | undefined;
  readonly engine: Remote<EngineApi>;
  readonly connectors: ConnectFacade;
  readonly query: QueryService;
  readonly path: string;
  readonly logId: string;
  readonly leadership: () => Leadership;
  readonly serviceId: string;
  readonly freshness: SourceFreshness;
  readonly readyLagMs: number;
  readonly readyStanding: 'count' | 'ignore';
}

export class StatusService implements StatusFacade {
  readonly identity: StatusFacade['identity'];
  readonly #env: StatusEnv;
  #started = false;
  #stopping = false;

  constructor(env: StatusEnv) {
    this.#env = env;
    this.identity = { version, serviceId: env.serviceId, logId: env.logId };
  }

  /** What the configuration asks for is there: the source's connector and the statements of the query files. */
  started(): void {
    this.#started = true;
  }

  close(): void {
    this.#stopping = true;
  }

  async status(): Promise<ServiceStatus> {
    const { engine, connectors, query, path } = this.#env;
    const [{ tables, ...freshness }, statuses, queries, rebuilds, outbox] = await Promise.all([
      query.tables(),
      connectors.statuses(),
      engine.queries(),
      engine.rebuilds(),
      engine.outbox(),
    ]);
    const reasons = [
      ...statuses
        .filter(({ tasks }) => tasks.some(({ state }) => state === 'FAILED'))
        .map(({ name, error }) => `connector ${name}: ${error?.message ?? 'failed'}`),
      ...statuses
        .filter(({ standing }) => standing === 'unreachable' || standing === 'never-reached')
        .map(({ name, standing, source }) =>
          describeAge({ lagMs: 0, standing: standing!, connector: name, reason: source.reason }),
        ),
      ...statuses.flatMap(({ stopped = [] }) => stopped.map(({ table, message }) => `table ${table}: ${message}`)),
      ...queries.filter(({ state }) => state === 'ERROR').map(({ id, reason }) => `query ${id}: ${reason ?? 'failed'}`),
      ...(outbox?.full === true
        ? ['derived records wait for Kafka, and nothing more is applied until they are out']
        : []),
    ];
    return {
      ...freshness,
      positions: query.positions(),
      ...this.leadership(),
      serviceVersion: version,
      uptimeSeconds: Math.round(process.uptime()),
      state: this.#stopping ? 'stopping' : reasons.length > 0 ? 'degraded' : 'running',
      reasons,
      connectors: statuses,
      tables: tables.map(tableStatus),
      queries,
      rebuilds,
      ...(outbox ? { outbox: outboxState(outbox) } : {}),
      memory: {
        rssBytes: residentBytes() ?? null,
        heapBytes: heapBytes().used,
        dataBytes: sizeOf(path) + sizeOf(`${path}-wal`),
      },
    };
  }

  async metrics(): Promise<readonly MetricSample[]> {
    const { engine, connectors, query, path } = this.#env;
    const [counted, { tables }, statuses, queries, rebuilds] = await Promise.all([
      engine.metrics(),
      query.tables(),
      connectors.statuses(),
      engine.queries(),
      engine.rebuilds(),
    ]);
    return [
      ...counted,
      gauge('writethrough_subscribers', query.subscriberCount),
      gauge('writethrough_log_bytes', sizeOf(path)),
      gauge('writethrough_wal_bytes', sizeOf(`${path}-wal`)),
      ...statuses.map(({ name, tasks, source }) =>
        gauge('writethrough_connector_running', Number(isRunning(tasks, source)), { connector: name }),
      ),
      ...statuses.flatMap((status) => [...snapshotGauges(status), ...retryGauges(status), ...verifyGauges(status)]),
      ...statuses
        .filter(({ lagMs }) => lagMs !== undefined)
        .map(({ name, lagMs }) => gauge('writethrough_source_lag_seconds', lagMs! / 1000, { connector: name })),
      ...queries.map(({ id, state }) =>
        gauge('writethrough_query_running', Number(state === 'RUNNING'), { query: id }),
      ),
      ...tables
        .filter(({ visible }) => visible)
        .flatMap(({ name, rowCount, age }) => [
          gauge('writethrough_table_rows', rowCount, { table: name }),
          gauge('writethrough_table_lag_seconds', age.lagMs / 1000, { table: name }),
        ]),
      ...rebuilds
        .filter(({ state }) => state !== 'done' && state !== 'failed')
        .map(({ table, seq, headSeq }) =>
          gauge('writethrough_rebuild_progress_ratio', headSeq === 0 ? 0 : seq / headSeq, { table }),
        ),
    ];
  }

  leadership(): Leadership {
    return this.#env.leadership();
  }

  readiness() {
    const { error } = this.#env.failure;
    if (error !== undefined) return { ready: false, reason: `the service has failed: ${error.message}` };
    if (this.#stopping) return { ready: false, reason: 'the process stops' };
    if (!this.#started) return { ready: false, reason: 'the service is starting' };
    const undecided = this.#env.undecided();
    if (undecided !== undefined) return { ready: false, reason: `the source does not answer yet: ${undecided}` };
    const { freshness, readyLagMs, readyStanding } = this.#env;
    return readinessOf(freshness.standings(), { lagMs: readyLagMs, standing: readyStanding });
  }
}

function outboxState({ entries, bytes, bytesMax, full, oldestMs }: OutboxStatus): OutboxState {
  const ageMs = oldestMs === undefined ? 0 : Math.max(0, Date.now() - oldestMs);
  return { entries, bytes, bytesMax, full, ageMs };
}

function tableStatus({ name, rowCount, visible, age }: TableSummary): TableStatus {
  const stale = staleness(age);
  return {
    name,
    rows: rowCount,
    visible,
    lagMs: age.lagMs,
    standing: age.standing,
    containsUpTo: new Date(Date.now() - age.lagMs).toISOString(),
    ...(stale === undefined ? {} : { reason: describeAge(age) }),
  };
}

function gauge(name: MetricName, value: number, labels: Labels = {}): MetricSample {
  return { name, type: 'gauge', help: metricDefinitions[name][1], labels, value };
}

function isRunning(tasks: ConnectorStatus['tasks'], source: ConnectorStatus['source']): boolean {
  return (
    tasks.some(({ state }) => state === 'RUNNING') && (source.phase === 'snapshot' || source.phase === 'streaming')
  );
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/** What its newest verification has shown, also one of an earlier process. */
function verifyGauges({ name, verified }: ConnectorStatus): MetricSample[] {
  if (verified === undefined) return [];
  const { state, differences, skipped, seconds, endedAt } = verified;
  const ended = gauge('writethrough_verify_timestamp_seconds', Date.parse(endedAt) / 1000, { connector: name });
  const failed = gauge('writethrough_verify_failed', Number(state === 'failed'), { connector: name });
  if (state === 'failed') return [ended, failed];
  return [
    ended,
    failed,
    gauge('writethrough_verify_differences', differences, { connector: name }),
    gauge('writethrough_verify_skipped_tables', skipped, { connector: name }),
    gauge('writethrough_verify_seconds', seconds, { connector: name }),
  ];
}

/** Of a connector that waits for its next try. */
function retryGauges({ name, source: { retry } }: ConnectorStatus): MetricSample[] {
  if (retry === undefined) return [];
  const labels = { connector: name, code: retry.code };
  return [
    gauge('writethrough_connector_retry_attempt', retry.attempt, labels),
    gauge('writethrough_connector_retry_timestamp_seconds', Date.parse(retry.at) / 1000, labels),
  ];
}

/** Of tables that are being read, for the first time or again, and of those that stand still. */
function snapshotGauges({ name, source, stopped = [] }: ConnectorStatus): MetricSample[] {
  const tables = source.snapshot?.tables ?? [];
  return [
    gauge('writethrough_snapshot_tables_left', tables.filter(({ done }) => !done).length, { connector: name }),
    gauge('writethrough_tables_stopped', stopped.length, { connector: name }),
    ...tables.flatMap(({ table, rows, rowsEstimated, rowsPerSecond, secondsLeft }) =>
      [
        ['writethrough_snapshot_rows', rows] as const,
        ['writethrough_snapshot_rows_estimated', rowsEstimated ?? undefined] as const,
        ['writethrough_snapshot_rows_per_second', rowsPerSecond] as const,
        ['writethrough_snapshot_seconds_left', secondsLeft] as const,
      ].flatMap(([metric, value]) => (value === undefined ? [] : [gauge(metric, value, { connector: name, table })])),
    ),
  ];
}
