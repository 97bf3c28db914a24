// The pump stream -> store: applies appends, one by one, in the engine's open transaction. Order of steps for one append:
//   1. definitions in it change topics, registry, catalogue and wiring (statements topic)
//   2. its records run through all live queries (runtime)
//   3. its control (snapshot completed, rebuild swapped, sink failed) takes effect
// Log, rows, feed, catalogue and frontier commit together, so a crash between any two steps leaves the state of the commit before,
// and the same appends are applied again. A definition that cannot be applied throws PartFailure: the engine rolls back, so that it
// leaves no trace, has it refused, and applies the group again. Every process that follows the log refuses it alike.
import type { Catalog } from '../catalog/catalog.js';
import type { AppendControl } from '../core/append-control.js';
import { fromErrorMessage, toAppError, unreachable, type AppError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import type { Append } from '../core/append.js';
import { amongTopics, type Records } from '../core/record.js';
import type { Registry } from '../registry/registry.js';
import { QueryFailure } from '../runtime/running-query.js';
import { PartFailure, partFailure, type Runtime } from '../runtime/runtime.js';
import type { Frontier, StateWriter } from '../store/state-store.js';
import type { Builder } from './builder.js';
import type { DefinedTopics } from './defined-topics.js';
import { decodeDefinition, statementsTopic, type DefinitionResult } from './definition.js';
import type { DefinitionApplier } from './definition-applier.js';
import type { Visibility } from './visibility.js';

export interface ProjectorParts {
  readonly state: StateWriter;
  readonly catalog: Catalog;
  readonly runtime: Runtime;
  readonly builder: Builder;
  readonly applier: DefinitionApplier;
  readonly visibility: Visibility;
  /** In the open transaction. */
  readonly connectorChanged: (
    control: Extract<AppendControl, { readonly kind: 'connector-put' | 'connector-removed' }>,
  ) => void;
  /** In the open transaction: the log can be read from this append on. */
  readonly logStarts: (append: Append) => void;
  readonly topics: DefinedTopics;
  readonly registry: Registry;
  readonly serviceId: string;
  /** Where earlier versions appended the registry's entries. */
  readonly schemasTopic: string;
  readonly logger: Logger;
  /** In the open transaction: what was derived for the topic up to this seq is not written to it. */
  readonly refuseDerived: (topic: string, upToSeq: number) => void;
}

/** What became of a definition, by the seq of its append. */
export type Outcome =
  { readonly ok: true; readonly result: DefinitionResult } | { readonly ok: false; readonly error: AppError };

export class Projector {
  readonly #parts: ProjectorParts;
  readonly #topic: string;
  readonly #ofDefinitions: (records: Records) => boolean;
  readonly #ofSchemas: (records: Records) => boolean;
  /** Of the appends applied since the last `takeOutcomes`. */
  #outcomes = new Map<number, Outcome>();
  #swapped: string[] = [];
  /** Definitions of the group in hand that could not be applied, by seq. */
  readonly #refused = new Map<number, AppError>();

  constructor(parts: ProjectorParts) {
    this.#parts = parts;
    this.#topic = statementsTopic(parts.serviceId);
    this.#ofDefinitions = amongTopics(this.#topic);
    this.#ofSchemas = amongTopics(parts.schemasTopic);
  }

  /** Wires everything from the durable catalogue: at start and after a rollback. */
  load(): void {
    const { catalog, runtime, builder, registry } = this.#parts;
    registry.reload();
    catalog.reload();
    runtime.load();
    builder.load();
    this.#outcomes = new Map();
    this.#swapped = [];
  }

  /** `reached` is the frontier with this append in it; it moves on with the next one. */
  apply(append: Append, reached: Frontier): void {
    if (this.defines(append)) this.#applyDefinitions(append, reached);
    else if (this.#ofSchemas(append.records)) this.#takeSchemas(append);
    this.#parts.runtime.apply(append);
    if (append.control) this.#applyControl(append, reached);
  }

  /** It holds a definition: what topics there are behind it is another matter than before it. */
  defines({ records }: Pick<Append, 'records'>): boolean {
    return records.count > 0 && this.#ofDefinitions(records);
  }

  #takeSchemas({ records }: Append): void {
    for (let i = 0; i < records.count; i++) {
      const key = records.topic(i) === this.#parts.schemasTopic ? records.key(i) : null;
      if (key) this.#parts.registry.takeNow({ key: key.toString(), value: records.value(i)?.toString() ?? null });
    }
  }

  #applyDefinitions(append: Append, reached: Frontier): void {
    const { records } = append;
    const { runtime, applier } = this.#parts;
    runtime.context.seq = append.seq;
    runtime.context.commitTimeUs = append.commitTimeUs;
    runtime.context.rowtimeMs = Math.floor(append.commitTimeUs / 1000);
    for (let i = 0; i < records.count; i++) {
      if (records.topic(i) !== this.#topic) continue;
      const refused = this.#refused.get(append.seq);
      if (refused) {
        this.#outcomes.set(append.seq, { ok: false, error: refused });
        continue;
      }
      try {
        const result = applier.apply(decodeDefinition(records.value(i)!), reached);
        this.#outcomes.set(append.seq, { ok: true, result });
      } catch (error) {
        const cause = error instanceof QueryFailure ? error.error : toAppError(error);
        throw new PartFailure({ kind: 'definition', name: String(append.seq) }, cause);
      }
    }
  }

  /** The definition at this seq is not applied when its group comes again. */
  refuse(seq: number, error: AppError): void {
    this.#refused.set(seq, error);
  }

  #applyControl(append: Append, reached: Frontier): void {
    const { catalog, runtime, builder, visibility, logger } = this.#parts;
    const control = append.control!;
    runtime.context.seq = append.seq;
    runtime.context.commitTimeUs = append.commitTimeUs;
    runtime.context.rowtimeMs = Math.floor(append.commitTimeUs / 1000);
    switch (control.kind) {
      case 'snapshot-completed': {
        const topics = new Set(control.topics);
        for (const entry of catalog.all()) {
          if (entry.captured?.connector !== control.connector || !topics.has(entry.properties.topic)) continue;
          const { reconciling, ...captured } = entry.captured;
          if (entry.visible && reconciling === undefined) continue;
          catalog.putSource({ ...entry, captured: { ...captured, awaitsSnapshot: false } });
          if (entry.visible) continue;
          if (!builder.isBuilding(entry.name) && entry.failed === null) visibility.show(entry.name);
        }
        visibility.refresh();
        logger.info('snapshot complete', { connector: control.connector, tables: control.topics.length });
        return;
      }
      case 'build-step':
        return this.#buildStep(control.table, control.rows);
      case 'rebuild-swapped':
        builder.applySwap(control.table, control.version);
        this.#swapped.push(control.table);
        // One that stood still before it was ever complete is so now.
        if (catalog.find(control.table)?.visible === false) visibility.created(control.table);
        return;
      case 'connector-put':
      case 'connector-removed':
        this.#parts.connectorChanged(control);
        return;
      case 'log-start':
        this.#parts.logStarts(append);
        return;
      case 'tables-called':
        for (const entry of catalog.all()) {
          const { captured } = entry;
          const called = control.tables.find(({ table }) => table === captured?.table);
          if (captured?.connector !== control.connector || !called) continue;
          catalog.putSource({ ...entry, captured: { ...captured, reconciling: called.cause } });
        }
        return;
      case 'table-failed':
        for (const { captured, failed, name } of catalog.all()) {
          if (captured?.connector !== control.connector || captured.table !== control.table || failed !== null)
            continue;
          throw new PartFailure({ kind: 'source', name }, fromErrorMessage(control.error));
        }
        return;
      case 'import-failed':
        for (const { imported, failed, name, properties } of catalog.all()) {
          if (imported !== true || failed !== null || properties.topic !== control.topic) continue;
          // The engine lets it stand still and applies the append again, until all that read the topic do.
          throw new PartFailure({ kind: 'source', name }, fromErrorMessage(control.error));
        }
        return;
      case 'sink-failed': {
        const { query, topic, error } = control;
        this.#parts.refuseDerived(topic, append.seq);
        // It may have been dropped, or stand still for another reason, since that was found.
        if (query === null || catalog.query(query)?.state.kind !== 'running') return;
        const stopped = runtime.stopQueries([query], reached, { kind: 'failed', atSeq: append.seq, error });
        builder.abandon(stopped);
        logger.error('a topic cannot be written, and its query stands still', { query, stopped, topic, ...error });
        return;
      }
      default:
        unreachable(control);
    }
  }

  #buildStep(table: string, rows: number): void {
    const { builder } = this.#parts;
    try {
      builder.applyStep(table, rows);
    } catch (error) {
      if (error instanceof PartFailure) throw error;
      if (error instanceof QueryFailure) throw partFailure(error); // of its own query, or of one that reads its table
      throw new PartFailure({ kind: 'build', name: table }, toAppError(error));
    }
  }

  takeOutcomes(): ReadonlyMap<number, Outcome> {
    const outcomes = this.#outcomes;
    this.#outcomes = new Map();
    this.#refused.clear();
    return outcomes;
  }

  /** Tables swapped since the last call, for the measure of the pause. */
  takeSwapped(): readonly string[] {
    const swapped = this.#swapped;
    this.#swapped = [];
    return swapped;
  }
}
