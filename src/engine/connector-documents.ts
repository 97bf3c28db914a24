// The connectors as documents of the store, and how far each is. They are part of the sequence: every change is an append, so that
// whichever process leads next runs the same ones, also from an empty data folder.
// Beside the sequence, for this process: when each was last known to be current, which stays as long as there are tables of it.
import type { Catalog } from '../catalog/catalog.js';
import type { StoredMoment } from '../connect/source-facts.js';
import type { StoredConnector } from '../connect/stored-connector.js';
import type { ConnectorProgress } from '../connect/herder-env.js';
import { producerName } from '../connect/naming.js';
import type { AppendControl } from '../core/append-control.js';
import { positionToResume } from '../core/append.js';
import type { ErrorMessage } from '../core/errors.js';
import type { StateWriter } from '../store/state-store.js';

function problemOf({ code, message, detail, hint }: ErrorMessage) {
  return { code, message, ...(detail && { detail }), ...(hint && { hint }) };
}

const kind = 'sequenced-connector';
/** Of versions that kept them beside the log. */
const earlierKind = 'connector';
const momentKind = 'connector-moment';

export class ConnectorDocuments {
  readonly #state: StateWriter;
  readonly #catalog: Catalog;
  readonly #append: (control: AppendControl) => Promise<void>;

  /** `append` resolves when it is applied. */
  constructor(state: StateWriter, catalog: Catalog, append: (control: AppendControl) => Promise<void>) {
    this.#state = state;
    this.#catalog = catalog;
    this.#append = append;
  }

  load(): readonly StoredConnector[] {
    return [...this.#documents(kind), ...this.#documents(earlierKind)];
  }

  #documents(ofKind: string): readonly StoredConnector[] {
    return this.#state.documents(ofKind).map(({ json }) => JSON.parse(json) as StoredConnector);
  }

  put(connector: StoredConnector): Promise<void> {
    return this.#append({ kind: 'connector-put', name: connector.name, document: JSON.stringify(connector) });
  }

  remove(name: string): Promise<void> {
    return this.#append({ kind: 'connector-removed', name });
  }

  /** Once: what an earlier version kept beside the log enters the sequence. */
  async sequence(): Promise<void> {
    for (const connector of this.#documents(earlierKind)) await this.put(connector);
  }

  /** In the engine's open transaction, at the control's seq. */
  apply(control: Extract<AppendControl, { readonly kind: 'connector-put' | 'connector-removed' }>): void {
    this.#state.deleteDocument(earlierKind, control.name);
    if (control.kind === 'connector-put') this.#state.putDocument(kind, control.name, control.document);
    else this.#state.deleteDocument(kind, control.name);
  }

  /** Those of connectors that are gone with their tables are dropped. */
  moments(): readonly StoredMoment[] {
    const named = new Set(this.load().map(({ name }) => name));
    for (const { captured } of this.#catalog.all()) if (captured) named.add(captured.connector);
    const moments = this.#state.documents(momentKind).map(({ json }) => JSON.parse(json) as StoredMoment);
    const ownerless = moments.filter(({ connector }) => !named.has(connector));
    if (ownerless.length > 0) {
      this.#state.transaction(() =>
        ownerless.forEach(({ connector }) => this.#state.deleteDocument(momentKind, connector)),
      );
    }
    return moments.filter((moment) => !ownerless.includes(moment));
  }

  /** Calls run between two turns of the engine's loop, where no transaction is open. */
  keepMoment(moment: StoredMoment): void {
    this.#state.transaction(() => this.#state.putDocument(momentKind, moment.connector, JSON.stringify(moment)));
  }

  progress(name: string): ConnectorProgress {
    const entries = this.#catalog.all().filter((entry) => entry.captured?.connector === name);
    return {
      position: positionToResume(this.#state.frontier.positions[producerName(name)]),
      tables: entries.map((entry) => entry.name),
      topics: entries.map((entry) => entry.properties.topic),
      stopped: entries.flatMap(({ name: table, failed }) => (failed === null ? [] : [{ table, ...problemOf(failed) }])),
    };
  }
}
