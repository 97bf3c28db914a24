// The connectors that this process runs, as documents of the store, and how far each is.
import type { Catalog } from '../catalog/catalog.js';
import type { StoredConnector } from '../connect/stored-connector.js';
import { producerName } from '../connect/naming.js';
import { positionToResume } from '../core/record.js';
import type { StateWriter } from '../store/state-store.js';

const kind = 'connector';

export class ConnectorDocuments {
  readonly #state: StateWriter;
  readonly #catalog: Catalog;

  constructor(state: StateWriter, catalog: Catalog) {
    this.#state = state;
    this.#catalog = catalog;
  }

  load(): readonly StoredConnector[] {
    return this.#state.documents(kind).map(({ json }) => JSON.parse(json) as StoredConnector);
  }

  put(connector: StoredConnector): void {
    this.#write(() => this.#state.putDocument(kind, connector.name, JSON.stringify(connector)));
  }

  remove(name: string): void {
    this.#write(() => this.#state.deleteDocument(kind, name));
  }

  progress(name: string) {
    const entries = this.#catalog.all().filter((entry) => entry.captured?.connector === name);
    return {
      position: positionToResume(this.#state.frontier.positions[producerName(name)]),
      tables: entries.map((entry) => entry.name),
      topics: entries.map((entry) => entry.properties.topic),
    };
  }

  /** Calls run between two turns of the engine's loop, where no transaction is open. */
  #write(change: () => void): void {
    this.#state.transaction(change);
  }
}
