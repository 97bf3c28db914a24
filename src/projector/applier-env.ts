// What applying a definition works on.
import type { Catalog } from '../catalog/catalog.js';
import type { Runtime } from '../runtime/runtime.js';
import type { StateWriter } from '../store/state-store.js';
import type { Builder } from './builder.js';

export interface ApplierEnv {
  readonly state: StateWriter;
  readonly catalog: Catalog;
  readonly runtime: Runtime;
  readonly builder: Builder;
  readonly nowMs: () => number;
  /** The topic has no record yet, so there is nothing to replay. */
  readonly topicIsEmpty: (topic: string) => boolean;
  readonly refreshVisibility: () => void;
  readonly rowsAtOnce?: number | undefined;
}
