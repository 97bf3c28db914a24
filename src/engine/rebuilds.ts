// Rebuilds on request: a table is derived again beside itself.
import { type Catalog, type SourceEntry } from '../catalog/catalog.js';
import { nameKey } from '../core/names.js';
import { systemClock } from '../core/clock.js';
import { AppError } from '../core/errors.js';
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
}

export class Rebuilds {
  readonly #env: RebuildsEnv;

  constructor(env: RebuildsEnv) {
    this.#env = env;
  }

  /** Begins to derive a table again beside itself. */
  async begin(table: string): Promise<RebuildProgress> {
    const { catalog, builder, state } = this.#env;
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
    const document = newRebuild(catalog, entry, this.#nextVersion(entry), systemClock.nowMs());
    try {
      state.transaction(() => builder.begin(document));
    } catch (error) {
      this.#env.reload();
      throw error;
    }
    this.#env.wake();
    return builder.progress().find((progress) => nameKey(progress.table) === nameKey(entry.name))!;
  }

  /** Versions that a failed rebuild has left behind are not used again before they are gone. */
  #nextVersion(entry: SourceEntry): number {
    const versions = this.#env.state.physicalTables().filter(({ id }) => id === entry.table!.id);
    return Math.max(entry.table!.version, ...versions.map(({ version }) => version)) + 1;
  }
}
