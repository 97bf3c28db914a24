// A connector goes, and with it what is not to be kept. Order, and what a crash between any two steps leaves behind:
//   0. drop what is derived        the connector is there, less was derived: delete it again (where that is asked for)
//   1. give the position up        the connector is there and would begin with a snapshot, which its old topics refuse: delete it again
//   2. remove the connector        its tables stay, as after a delete that keeps them; they can be dropped by hand
//   3. drop tables and topics      as 2, for those that are left
import type { Catalog, SourceEntry } from '../catalog/catalog.js';
import type { Kept } from '../connect/herder-env.js';
import { nameKey } from '../core/names.js';
import { AppError } from '../core/errors.js';
import { querySources } from '../projector/query-sources.js';
import type { ConnectorDocuments } from './connector-documents.js';
import { setPosition, type SetPositionEnv } from './set-position.js';

export interface ConnectorRemovalEnv extends SetPositionEnv {
  readonly catalog: Catalog;
  readonly connectors: ConnectorDocuments;
  readonly execute: (sql: string) => Promise<unknown>;
}

export class ConnectorRemoval {
  readonly #env: ConnectorRemovalEnv;

  constructor(env: ConnectorRemovalEnv) {
    this.#env = env;
  }

  /** Rejects with invalid-statement where tables would go that something is derived from which stays. */
  async remove(connector: string, keep: Kept): Promise<void> {
    const { connectors, execute } = this.#env;
    const tables = keep === 'derived' || keep === 'nothing' ? this.#tablesOf(connector) : [];
    const derived = this.#derivedFrom(tables);
    if (keep === 'derived' && derived.length > 0) {
      const names = derived.map(({ name }) => name).join(', ');
      throw new AppError('invalid-statement', `the tables of connector ${connector} are read by queries`, {
        hint: `drop ${names} first, in this order; or --cascade (?topics=true&cascade=true) drops them, too; or delete the connector without its topics`,
      });
    }
    for (const { name, sourceKind } of derived)
      await execute(`DROP ${sourceKind.toUpperCase()} IF EXISTS ${quoted(name)} DELETE TOPIC;`);
    if (keep !== 'all') await setPosition(this.#env, connector, null);
    await connectors.remove(connector);
    for (const table of tables) await execute(`DROP TABLE IF EXISTS ${quoted(table)} DELETE TOPIC;`);
  }

  #tablesOf(connector: string): readonly string[] {
    const all = this.#env.catalog.all();
    return all.flatMap(({ name, captured }) => (captured?.connector === connector ? [name] : []));
  }

  /** What queries make of these, directly or not; nothing is read by what stands behind it. */
  #derivedFrom(tables: readonly string[]): readonly SourceEntry[] {
    const { catalog } = this.#env;
    const keys = new Set(tables.map(nameKey));
    const derived = new Map<string, SourceEntry>();
    // In creation order a query comes behind everything it reads.
    for (const query of catalog.queries()) {
      if (!querySources(catalog, query).some((name) => keys.has(nameKey(name)))) continue;
      keys.add(nameKey(query.sink));
      derived.set(nameKey(query.sink), catalog.find(query.sink)!);
    }
    return [...derived.values()].toReversed();
  }
}

function quoted(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``;
}
