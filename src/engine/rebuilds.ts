// Rebuilds on request, or because what a table is derived from stood still: it is derived again beside itself.
import { type Catalog, type SourceEntry } from '../catalog/catalog.js';
import { nameKey } from '../core/names.js';
import { systemClock } from '../core/clock.js';
import { AppError, toAppError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import type { Builder } from '../projector/builder.js';
import { assertRuns } from '../projector/definition-checks.js';
import { newRebuild } from '../projector/new-rebuild.js';
import { querySources } from '../projector/query-sources.js';
import type { RebuildProgress } from '../projector/statement-facade.js';
import type { StateWriter } from '../store/state-store.js';

export interface RebuildsEnv {
  readonly catalog: Catalog;
  readonly builder: Builder;
  readonly state: StateWriter;
  /** A build began: the loop has work. */
  readonly wake: () => void;
  /** After a rollback: memory follows the store again. */
  readonly reload: () => void;
  readonly logger: Logger;
}

export class Rebuilds {
  readonly #env: RebuildsEnv;
  #closed = false;

  constructor(env: RebuildsEnv) {
    this.#env = env;
  }

  /** Begins to derive a table again beside itself. */
  async begin(table: string): Promise<RebuildProgress> {
    const { catalog, builder } = this.#env;
    const entry = catalog.find(table);
    if (!entry?.table) throw new AppError('unknown-table', `no table ${table}`);
    if (builder.isBuilding(entry.name)) throw new AppError('rebuild-running', `table ${entry.name} is being rebuilt`);
    const query = entry.writtenBy === null ? undefined : catalog.query(entry.writtenBy);
    const standsStill = entry.failed !== null || (query !== undefined && query.state.kind !== 'running');
    if (!entry.visible && !standsStill)
      throw new AppError('snapshotting', `table ${entry.name} is still being filled for the first time`, {
        retriable: true,
      });
    if (query && query.state.kind === 'terminated') {
      throw new AppError('invalid-statement', `the query of ${entry.name} was terminated`, {
        hint: 'drop the table and create it again',
      });
    }
    const sources = query ? [...new Set(querySources(catalog, query))].map((name) => catalog.find(name)!) : [];
    assertRuns(catalog, sources);
    const forgetful = sources.find((source) => source.sourceKind === 'stream' && source.writtenBy !== null);
    if (forgetful) {
      throw new AppError('unsupported-statement', `rebuild of ${entry.name}, which reads ${forgetful.name}`, {
        hint: `a derived stream is not kept to be replayed: select from the source of ${forgetful.name} instead`,
      });
    }
    this.#start(entry);
    return builder.progress().find((progress) => nameKey(progress.table) === nameKey(entry.name))!;
  }

  /** What is derived from a table that stood still, and goes on now, is derived again; a stream is not kept to be replayed. */
  heal(): void {
    const { catalog, builder, logger } = this.#env;
    if (this.#closed) return;
    for (const query of catalog.queries()) {
      const { state } = query;
      const sink = catalog.find(query.sink);
      if (state.kind !== 'failed' || state.source === undefined || !sink?.table || builder.isBuilding(sink.name))
        continue;
      if (!querySources(catalog, query).every((name) => this.#goesOn(name))) continue;
      logger.info('a table is derived again, since what it is derived from goes on', {
        table: sink.name,
        source: state.source,
      });
      try {
        this.#start(sink);
      } catch (error) {
        logger.error('a table cannot be derived again', { table: sink.name, error: toAppError(error).message });
      }
    }
  }

  /** Nothing is begun any more. */
  close(): void {
    this.#closed = true;
  }

  #goesOn(name: string): boolean {
    const { catalog } = this.#env;
    const source = catalog.find(name);
    if (!source?.visible || source.failed !== null || source.captured?.reconciling !== undefined) return false;
    return source.writtenBy === null || catalog.query(source.writtenBy)?.state.kind === 'running';
  }

  #start(entry: SourceEntry): void {
    const { catalog, builder, state } = this.#env;
    const document = newRebuild(catalog, entry, this.#nextVersion(entry), systemClock.nowMs());
    try {
      state.transaction(() => builder.begin(document));
    } catch (error) {
      this.#env.reload();
      throw error;
    }
    this.#env.wake();
  }

  /** Versions that a failed rebuild has left behind are not used again before they are gone. */
  #nextVersion(entry: SourceEntry): number {
    const versions = this.#env.state.physicalTables().filter(({ id }) => id === entry.table!.id);
    return Math.max(entry.table!.version, ...versions.map(({ version }) => version)) + 1;
  }
}
