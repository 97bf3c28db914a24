// All running streams, tables and queries, wired: a record goes from its topic's node through every query that reads it, in creation
// order, before the next record is looked at; chained queries run in the same pass. Runs inside the engine's transaction and is the
// only place that changes rows. A part that fails throws PartFailure; the engine rolls back, detaches the part with everything
// downstream, and applies the group again.
import { AppError, assert, toErrorMessage } from '../core/errors.js';
import type { Row, RowSchema } from '../core/data-type.js';
import { carriedThrough, carryRow } from '../core/schema-change.js';
import type { Append } from '../core/append.js';
import type { Frontier, StateWriter } from '../store/state-store.js';
import {
  tableSpec,
  type Catalog,
  type Generation,
  type QueryEntry,
  type QueryState,
  type SourceEntry,
} from '../catalog/catalog.js';
import { nameKey } from '../core/names.js';
import type { ApplyContext } from './apply-context.js';
import { isKeyBehind, type Cursor } from './cursor.js';
import { QueryFailure, RunningQuery, type QueryTopology } from './running-query.js';
import { SourceNode, type RecordDecoder } from './source-node.js';
import { TableNode, type ChangeListener } from './table-node.js';

export interface RuntimeEnv {
  readonly state: StateWriter;
  readonly catalog: Catalog;
  /** Moved on by the runtime, and read by everything that writes for it. */
  readonly context: ApplyContext;
  readonly decoderOf: (entry: SourceEntry) => RecordDecoder;
  /** Compiles a query; `emit` takes its results: key and new row (null: none) for tables, [] and the row for streams. */
  readonly compile: (query: QueryEntry, request: CompileRequest) => CompiledQuery;
  /** Being filled for the first time: its node hears nothing yet. */
  readonly isBeingCreated: (name: string) => boolean;
  /** A record of a stream or table was left out. */
  readonly onSkipped: (name: string, reason: string) => void;
  /** Writes the changes of a derived stream or table to its topic. */
  readonly sinkTopic: (entry: SourceEntry) => ChangeListener;
  /** Names of what a query reads, whether it runs or not. */
  readonly sourcesOf: (query: QueryEntry) => readonly string[];
}

export interface CompileRequest {
  readonly sink: SourceEntry;
  /** Names its operator states apart from those of another version. */
  readonly version: number;
  readonly context: ApplyContext;
  readonly lookup: (source: string, key: Row) => Row | undefined;
  /** ms, of the row that stands under the key. */
  readonly rowtime: (source: string, key: Row) => number | undefined;
  readonly emit: (key: Row, after: Row | null) => void;
}

export interface CompiledQuery {
  readonly topology: QueryTopology;
  readonly sources: readonly string[];
}

/** What cannot go on. A definition is named by its seq, a build by its table. */
export interface FailedPart {
  readonly kind: 'query' | 'source' | 'build' | 'definition';
  readonly name: string;
}

export class PartFailure extends Error {
  override readonly name = 'PartFailure';
  readonly part: FailedPart;
  readonly error: AppError;
  constructor(part: FailedPart, error: AppError) {
    super(error.message, { cause: error });
    this.part = part;
    this.error = error;
  }
}

export function partFailure({ build, queryId, error }: QueryFailure): PartFailure {
  return new PartFailure(
    build === undefined ? { kind: 'query', name: queryId } : { kind: 'build', name: build },
    error,
  );
}

/** What a node threw, as the failure of what it feeds where the record or a row of its table is to blame. */
function failureOf({ build, name }: SourceNode, error: unknown): unknown {
  if (error instanceof QueryFailure) return partFailure(error);
  if (!(error instanceof AppError && (error.code === 'bad-record' || error.code === 'corrupt-data'))) return error;
  return new PartFailure(build === undefined ? { kind: 'source', name } : { kind: 'build', name: build }, error);
}

/** A derived stream: no rows are kept, its facts go on to listeners. */
class StreamSink {
  readonly listeners: ChangeListener[] = [];
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
  emit(row: Row): void {
    for (const listener of this.listeners) listener.accept(this.name, null, row);
  }
}

/** Rows of an earlier generation in the form that the table has now; `schemas`: its own, and all behind it. */
function carryingDecoder(decoder: RecordDecoder, schemas: readonly RowSchema[]): RecordDecoder {
  const carried = carriedThrough(schemas.map(({ columns }) => columns));
  return {
    key: (bytes) => decoder.key(bytes),
    row(key, value) {
      const row = decoder.row(key, value);
      return row && carryRow(row, carried);
    },
  };
}

interface AttachedQuery {
  readonly running: RunningQuery;
  readonly sources: readonly string[];
}

export class Runtime {
  readonly context: ApplyContext;
  readonly #env: RuntimeEnv;
  readonly #byTopic = new Map<string, SourceNode[]>();
  readonly #sources = new Map<string, SourceNode>();
  readonly #tables = new Map<string, TableNode>();
  readonly #streamSinks = new Map<string, StreamSink>();
  readonly #queries = new Map<string, AttachedQuery>();

  constructor(env: RuntimeEnv) {
    this.#env = env;
    this.context = env.context;
  }

  /** Wires everything that the catalogue says runs: at start, and after a rollback. */
  load(): void {
    this.#byTopic.clear();
    this.#sources.clear();
    this.#tables.clear();
    this.#streamSinks.clear();
    this.#queries.clear();
    const { catalog } = this.#env;
    for (const entry of catalog.all()) if (entry.writtenBy === null) this.attachSource(entry);
    for (const query of catalog.queries()) this.#attachFromCatalog(query);
  }

  #attachFromCatalog(query: QueryEntry): void {
    const sink = this.#env.catalog.find(query.sink);
    assert(sink, `query ${query.id} has no sink`);
    this.attachSink(sink);
    if (query.state.kind === 'running' && !this.#env.isBeingCreated(query.sink)) this.attachQuery(query, sink);
  }

  /** How many rows the tables over a topic have; undefined: there is none. */
  rowsOf(topic: string): number | undefined {
    let most: number | undefined;
    for (const { table } of this.#byTopic.get(topic) ?? [])
      if (table !== undefined) most = Math.max(most ?? 0, table.writer.rowCount());
    return most;
  }

  apply(append: Append): void {
    const { context } = this;
    context.seq = append.seq;
    context.commitTimeUs = append.commitTimeUs;
    const { records } = append;
    if (records.count === 0) return;
    const commitTimeMs = Math.floor(append.commitTimeUs / 1000);
    const nodesOf = records.topics.map((topic) => this.#byTopic.get(topic));
    for (let i = 0; i < records.count; i++) {
      const nodes = nodesOf[records.topicIndex(i)];
      if (nodes === undefined) continue;
      const rowtimeMs = records.timestamps ? records.timestamps[i]! : commitTimeMs;
      for (const node of nodes) {
        context.rowtimeMs = rowtimeMs;
        try {
          node.take(records, i);
        } catch (error) {
          throw failureOf(node, error);
        }
      }
    }
    for (const nodes of nodesOf) for (const node of nodes ?? []) this.#settle(node);
  }

  #settle(node: SourceNode): void {
    try {
      node.table?.writer.settle();
    } catch (error) {
      throw failureOf(node, error);
    }
  }

  /** A stream or table over a topic. Its physical table exists. */
  attachSource(entry: SourceEntry): void {
    const table = entry.table === null ? undefined : this.#openTable(entry);
    if (entry.failed !== null || this.#env.isBeingCreated(entry.name)) return;
    const node = this.sourceNode(entry, table);
    this.#sources.set(nameKey(entry.name), node);
    this.listenToTopic(node);
  }

  /** A node that is not wired to its topic yet (a rebuild's replay). */
  sourceNode(entry: SourceEntry, table: TableNode | undefined): SourceNode {
    const { decoderOf, onSkipped } = this.#env;
    const decoder = decoderOf(entry);
    const earlier = new Map<Generation, RecordDecoder>();
    const decoderAt = (seq: number): RecordDecoder | undefined => {
      const { generations = [] } = entry.captured ?? {};
      const at = generations.findIndex(({ untilSeq }) => seq < untilSeq);
      const generation = generations[at];
      if (generation === undefined) return decoder;
      const known = earlier.get(generation);
      if (known !== undefined || generation.schema === null) return known;
      // Only the first can be one of which no row is left.
      const schemas = [...generations.slice(at).map(({ schema }) => schema!), entry.schema];
      const made = carryingDecoder(decoderOf({ ...entry, schema: generation.schema }), schemas);
      earlier.set(generation, made);
      return made;
    };
    return new SourceNode(entry, { decoder, decoderAt, context: this.context, onSkipped }, table);
  }

  listenToTopic(node: SourceNode): void {
    const nodes = this.#byTopic.get(node.topic) ?? [];
    const at = nodes.findIndex((other) => other.order > node.order);
    nodes.splice(at < 0 ? nodes.length : at, 0, node);
    this.#byTopic.set(node.topic, nodes);
  }

  /** It hears no more records. */
  leaveTopic(node: SourceNode): void {
    const rest = (this.#byTopic.get(node.topic) ?? []).filter((other) => other !== node);
    if (rest.length === 0) this.#byTopic.delete(node.topic);
    else this.#byTopic.set(node.topic, rest);
  }

  /** The derived stream or table that a query writes, with its topic. */
  attachSink(entry: SourceEntry): void {
    const listener = this.#env.sinkTopic(entry);
    if (entry.table === null) {
      const sink = new StreamSink(entry.name);
      sink.listeners.push(listener);
      this.#streamSinks.set(nameKey(entry.name), sink);
    } else {
      this.#openTable(entry).listeners.push(listener);
    }
  }

  #openTable(entry: SourceEntry): TableNode {
    const node = this.tableNode(entry, entry.table!.version, entry.visible);
    this.#tables.set(nameKey(entry.name), node);
    return node;
  }

  tableNode(entry: SourceEntry, version: number, feeds: boolean): TableNode {
    return new TableNode(this.#env.state, this.#env.state.openTable(tableSpec(entry, version)), this.context, feeds);
  }

  attachQuery(query: QueryEntry, sink: SourceEntry): void {
    const table = this.#tables.get(nameKey(sink.name));
    const stream = this.#streamSinks.get(nameKey(sink.name));
    const emit = table
      ? (key: Row, after: Row | null) => table.set(key, after)
      : (_key: Row, after: Row | null) => stream!.emit(after!);
    const { topology, sources } = this.compile(query, sink, sink.table?.version ?? 1, emit);
    const running = new RunningQuery(query.id, topology, { order: query.number });
    this.listen(running, sources);
    this.#queries.set(query.id, { running, sources });
  }

  /** While a version is filled by `cursors`, its joins see of each table only what has been read. */
  compile(
    query: QueryEntry,
    sink: SourceEntry,
    version: number,
    emit: CompileRequest['emit'],
    cursors?: ReadonlyMap<string, Cursor>,
  ): CompiledQuery {
    const lookup = (source: string, key: Row) => this.table(source).writer.get(key);
    return this.#env.compile(query, {
      sink,
      version,
      context: this.context,
      lookup: cursors
        ? (source, key) => (isKeyBehind(cursors.get(source), key) ? lookup(source, key) : undefined)
        : lookup,
      rowtime: (source, key) => this.table(source).writer.rowtime(key),
      emit,
    });
  }

  /** Lets a query hear its sources, in creation order whenever it comes: the same as after a restart. */
  listen(query: RunningQuery, sources: readonly string[]): void {
    for (const source of new Set(sources.map(nameKey))) {
      const listeners = this.#listenersOf(source);
      const at = listeners.findIndex((other) => (other.order ?? -1) > query.order);
      listeners.splice(at < 0 ? listeners.length : at, 0, query);
    }
  }

  #listenersOf(source: string): ChangeListener[] {
    const key = nameKey(source);
    const listeners =
      this.#tables.get(key)?.listeners ?? this.#sources.get(key)?.listeners ?? this.#streamSinks.get(key)?.listeners;
    assert(listeners, `nothing runs under the name ${source}`);
    return listeners;
  }

  unlisten(query: ChangeListener): void {
    const all = [...this.#tables.values(), ...this.#sources.values(), ...this.#streamSinks.values()];
    for (const { listeners } of all) {
      const at = listeners.indexOf(query);
      if (at >= 0) listeners.splice(at, 1);
    }
  }

  /** A result of a query whose sink is a stream. */
  emitFact(name: string, row: Row): void {
    const sink = this.#streamSinks.get(nameKey(name));
    assert(sink, `no derived stream ${name} is running`);
    sink.emit(row);
  }

  table(name: string): TableNode {
    const found = this.#tables.get(nameKey(name));
    assert(found, `no table ${name} is running`);
    return found;
  }

  runningQuery(id: string): AttachedQuery | undefined {
    return this.#queries.get(id);
  }

  detachQuery(id: string): void {
    const found = this.#queries.get(id);
    if (!found) return;
    this.unlisten(found.running);
    this.#queries.delete(id);
  }

  dropSource(name: string): void {
    const key = nameKey(name);
    const node = this.#sources.get(key);
    if (node) this.leaveTopic(node);
    this.#sources.delete(key);
    this.#tables.delete(key);
    this.#streamSinks.delete(key);
  }

  /** Puts another version in a table's place: its listeners go on with the new rows. */
  swapTable(name: string, next: TableNode): void {
    const earlier = this.table(name);
    next.listeners.push(...earlier.listeners.filter((listener) => listener !== next));
    this.#tables.set(nameKey(name), next);
  }

  /** The swapped-in node of a base table takes the earlier one's place at its topic. */
  swapSource(name: string, next: SourceNode): void {
    const earlier = this.#sources.get(nameKey(name));
    if (earlier) this.leaveTopic(earlier);
    this.#sources.set(nameKey(name), next);
  }

  /** Marks a failed query or source and everything that reads it as standing still at the frontier; in an open transaction. Ids of the queries. */
  detachFailed(part: FailedPart, failure: AppError): readonly string[] {
    const { catalog, state } = this.#env;
    const { frontier } = state;
    const error = toErrorMessage(failure);
    const failed = { kind: 'failed', atSeq: frontier.seq, error } as const;
    if (part.kind === 'query') return this.stopQueries([part.name], frontier, failed);
    const entry = catalog.find(part.name)!;
    catalog.putSource({ ...entry, failed: error });
    if (entry.table) state.stop(tableSpec(entry), frontier);
    const readers = this.#readersOf(entry.name).map(({ id }) => id);
    return this.stopQueries(readers, frontier, { ...failed, source: entry.name });
  }

  /** The running ones of these queries, and of all that reads what they write, stand still from here (`at`); ids of those. */
  stopQueries(ids: readonly string[], at: Frontier, state: QueryState, readers: QueryState = state): readonly string[] {
    const { catalog, state: store } = this.#env;
    const stopped: string[] = [];
    const stop = (query: QueryEntry, to: QueryState) => {
      if (query.state.kind !== 'running') return;
      catalog.putQuery({ ...query, state: to });
      const sink = catalog.find(query.sink)!;
      if (sink.table) store.stop(tableSpec(sink), at);
      this.detachQuery(query.id);
      stopped.push(query.id);
      for (const reader of this.#readersOf(query.sink)) stop(reader, readers);
    };
    for (const id of ids) stop(catalog.query(id)!, state);
    return stopped;
  }

  #readersOf(name: string): readonly QueryEntry[] {
    const { catalog, sourcesOf } = this.#env;
    return catalog.queries().filter((query) => sourcesOf(query).some((source) => nameKey(source) === nameKey(name)));
  }
}
