// Definitions that take away or stop: DROP, with the topic and its schemas on request, PAUSE and TERMINATE.
import { tableSpec, type SourceEntry } from '../catalog/catalog.js';
import { nameKey } from '../core/names.js';
import { AppError } from '../core/errors.js';
import type { Statement } from '../sql/plan.js';
import type { Frontier } from '../store/state-store.js';
import type { ApplierEnv } from './applier-env.js';
import type { CapturedDefinitions } from './captured-definitions.js';
import type { SeenTopic } from './defined-topics.js';
import { isBeingCreated } from './build.js';
import { assertNotInternal } from './definition-checks.js';
import { querySources } from './query-sources.js';
import type { PlacedStatement } from './source-definitions.js';
import type { StatementResult } from './statement-facade.js';
import { applied } from './statement-results.js';

type Of<K extends Statement['kind']> = Extract<Statement, { readonly kind: K }>;

export class DropDefinitions {
  readonly #env: ApplierEnv;
  readonly #captured: CapturedDefinitions;

  constructor(env: ApplierEnv, captured: CapturedDefinitions) {
    this.#env = env;
    this.#captured = captured;
  }

  drop(statement: Of<'drop'>, { sql, seq, seen }: PlacedStatement): StatementResult {
    const { catalog, state, runtime, builder } = this.#env;
    const entry = catalog.find(statement.name);
    const command = { type: statement.sourceKind, name: entry?.name ?? statement.name, action: 'drop' } as const;
    if (!entry && statement.ifExists) return applied(sql, command, `Source \`${statement.name}\` does not exist.`, seq);
    if (!entry) throw new AppError('unknown-table', `Source ${statement.name} does not exist.`);
    if (entry.sourceKind !== statement.sourceKind) {
      throw new AppError(
        'invalid-statement',
        `Incompatible data source type is ${entry.sourceKind.toUpperCase()}, but statement was DROP ${statement.sourceKind.toUpperCase()}`,
      );
    }
    const readers = catalog
      .queries()
      .filter(
        (query) =>
          query.sink !== entry.name &&
          querySources(catalog, query).some((source) => nameKey(source) === nameKey(entry.name)),
      );
    if (readers.length > 0) {
      const names = readers.map((query) => query.id).join(', ');
      throw new AppError(
        'invalid-statement',
        `Cannot drop ${entry.name}. The following queries read from this source: [${names}]`,
        {
          hint: 'drop what they write first',
        },
      );
    }
    const { topic } = entry.properties;
    if (statement.deleteTopic) this.#assertDeletable(entry, topic);
    builder.forget(entry.name);
    if (entry.writtenBy) this.#dropQuery(entry.writtenBy, entry);
    runtime.dropSource(entry.name);
    catalog.dropSource(entry.name);
    if (entry.table) {
      if (entry.visible) state.unpublish(entry.name);
      state.dropTable(tableSpec(entry));
    }
    if (statement.deleteTopic) this.#deleteTopic(topic, seen, seq);
    else if (!this.#captured.keepClaim(entry) && !catalog.all().some(({ properties }) => properties.topic === topic))
      this.#env.topics.release(topic);
    return applied(sql, command, `Source \`${entry.name}\` (topic: ${topic}) was dropped.`, seq);
  }

  /** Records go on coming from its connector, or whoever writes another source of the topic; without it they would have no place. */
  #assertDeletable(entry: SourceEntry, topic: string): void {
    const { catalog, serviceId, isConnector } = this.#env;
    assertNotInternal(topic, serviceId);
    if (entry.captured && isConnector(entry.captured.connector)) {
      throw new AppError('invalid-statement', `topic ${topic} is written by connector ${entry.captured.connector}`, {
        hint: `DROP without DELETE TOPIC, or leave the table out of the connector's filter first`,
      });
    }
    const other = catalog
      .all()
      .find(({ name, properties }) => properties.topic === topic && nameKey(name) !== nameKey(entry.name));
    if (other) throw new AppError('invalid-statement', `topic ${topic} is read by ${other.name} too`);
  }

  #deleteTopic(topic: string, seen: SeenTopic | null, seq: number): void {
    const { topics, registry } = this.#env;
    if (!topics.find(topic) && seen) topics.adopt(topic, seen);
    if (topics.find(topic)) topics.delete(topic, seq);
    registry.dropNow(`${topic}-key`);
    registry.dropNow(`${topic}-value`);
  }

  #dropQuery(id: string, entry: SourceEntry): void {
    const { catalog, runtime, state } = this.#env;
    // A query that stands still, or was being filled, has states too: compiling it tells their names.
    const topology =
      runtime.runningQuery(id)?.running.topology ??
      runtime.compile(catalog.query(id)!, entry, entry.table?.version ?? 1, () => {}).topology;
    runtime.detachQuery(id);
    for (const name of topology.stateNames) state.dropState(name);
    catalog.dropQuery(id);
  }

  changeQueries(statement: Of<'pause' | 'resume' | 'terminate'>, sql: string, reached: Frontier): StatementResult {
    const { seq } = reached;
    const { state, catalog, runtime, builder } = this.#env;
    const queries =
      statement.queryId === null
        ? catalog.queries()
        : catalog.queries().filter((query) => nameKey(query.id) === nameKey(statement.queryId!));
    if (queries.length === 0 && statement.queryId !== null) {
      throw new AppError('invalid-statement', `Unknown queryId: ${statement.queryId}`, {
        hint: 'SHOW QUERIES lists them',
      });
    }
    if (statement.kind === 'resume') {
      throw new AppError('unsupported-statement', 'RESUME is not supported', {
        hint: 'a paused query has missed changes: rebuild its table (`writethrough rebuild TABLE`), which lets it run again',
      });
    }
    const kind = statement.kind === 'pause' ? 'paused' : 'terminated';
    const ids = queries.map(({ id }) => id);
    const stopped = runtime.stopQueries(ids, reached, { kind, atSeq: seq }, { kind: 'paused', atSeq: seq });
    for (const id of stopped) {
      const { sink } = catalog.query(id)!;
      if (!isBeingCreated(state, sink)) continue;
      // Refused behind the change: the engine rolls it back.
      throw new AppError('rebuild-running', `${sink} is being built`, {
        hint: `wait for it, or DROP ${sink}`,
        retriable: true,
      });
    }
    // Only this process may know of a rebuild, so the statement cannot depend on it.
    builder.abandon(stopped);
    return applied(
      sql,
      { type: statement.kind, name: statement.queryId ?? 'ALL', action: 'execute' },
      `Query ${statement.kind === 'pause' ? 'paused' : 'terminated'}.`,
      seq,
    );
  }
}
