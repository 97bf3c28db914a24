// A connector goes, and with it what is not to be kept. Order, and what a crash between any two steps leaves behind:
//   1. give the position up        the connector is there and would begin with a snapshot, which its old topics refuse: delete it again
//   2. remove the connector        its tables stay, as after a delete that keeps them; they can be dropped by hand
//   3. drop tables and topics      as 2, for those that are left
import type { Catalog } from '../catalog/catalog.js';
import { nameKey } from '../core/names.js';
import { producerName } from '../connect/naming.js';
import { AppError } from '../core/errors.js';
import { noPosition } from '../core/append.js';
import { querySources } from '../projector/query-sources.js';
import type { AppendProducer } from '../stream/event-log.js';
import type { ConnectorDocuments } from './connector-documents.js';
import { chunkOf } from './local-appends.js';

export interface ConnectorRemovalEnv {
  readonly catalog: Catalog;
  readonly connectors: ConnectorDocuments;
  readonly openProducer: (name: string) => Promise<AppendProducer>;
  readonly execute: (sql: string) => Promise<unknown>;
  readonly nowUs: () => number;
}

export class ConnectorRemoval {
  readonly #env: ConnectorRemovalEnv;

  constructor(env: ConnectorRemovalEnv) {
    this.#env = env;
  }

  /** `keep` `topics`: only the position is given up. Rejects with invalid-statement where queries read a table that would go. */
  async remove(connector: string, keep: 'all' | 'topics' | 'nothing'): Promise<void> {
    const { connectors, execute } = this.#env;
    const tables = keep === 'nothing' ? this.#tablesOf(connector) : [];
    if (keep !== 'all') await this.#giveUpPosition(connector);
    await connectors.remove(connector);
    for (const table of tables) await execute(`DROP TABLE IF EXISTS ${quoted(table)} DELETE TOPIC;`);
  }

  #tablesOf(connector: string): readonly string[] {
    const { catalog } = this.#env;
    const names = catalog.all().flatMap(({ name, captured }) => (captured?.connector === connector ? [name] : []));
    const keys = new Set(names.map(nameKey));
    const readers = catalog
      .queries()
      .filter((query) => querySources(catalog, query).some((name) => keys.has(nameKey(name))));
    if (readers.length > 0) {
      const sinks = readers.map(({ sink }) => sink).join(', ');
      throw new AppError('invalid-statement', `the tables of connector ${connector} are read by queries`, {
        hint: `drop ${sinks} first, or delete the connector without its topics`,
      });
    }
    return names;
  }

  async #giveUpPosition(connector: string): Promise<void> {
    const producer = await this.#env.openProducer(producerName(connector));
    try {
      if (producer.position === null) return;
      await producer.write(chunkOf({ records: [], commitTimeUs: this.#env.nowUs() }, noPosition));
      await producer.flush();
    } finally {
      await producer.close();
    }
  }
}

function quoted(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``;
}
