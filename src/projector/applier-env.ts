// What applying a definition works on, all of it inside the engine's open transaction.
import type { Catalog } from '../catalog/catalog.js';
import type { Registry } from '../registry/registry.js';
import type { Runtime } from '../runtime/runtime.js';
import type { StateWriter } from '../store/state-store.js';
import type { Builder } from './builder.js';
import type { DefinedTopics } from './defined-topics.js';
import type { Visibility } from './visibility.js';

export interface ApplierEnv {
  readonly state: StateWriter;
  readonly catalog: Catalog;
  readonly runtime: Runtime;
  readonly builder: Builder;
  readonly topics: DefinedTopics;
  readonly registry: Registry;
  readonly serviceId: string;
  readonly isConnector: (name: string) => boolean;
  readonly nowMs: () => number;
  readonly visibility: Visibility;
  readonly rowsAtOnce?: number | undefined;
}
