// What the builder works on.
import type { AppendControl } from '../core/append-control.js';
import type { Catalog } from '../catalog/catalog.js';
import type { Logger } from '../core/logger.js';
import type { Append } from '../core/append.js';
import type { Runtime } from '../runtime/runtime.js';
import type { StateWriter } from '../store/state-store.js';
import type { Garbage } from './garbage.js';
import type { Visibility } from './visibility.js';

export interface BuilderEnv {
  readonly state: StateWriter;
  readonly catalog: Catalog;
  readonly runtime: Runtime;
  readonly logger: Logger;
  readonly garbage: Garbage;
  readonly nowMs: () => number;
  /** Whole appends behind a seq, with their records of the topic, up to the end that the log has when it is asked; ends when the signal aborts. */
  readonly readLog: (after: number, topic: string, signal: AbortSignal) => AsyncIterable<readonly Append[]>;
  /** Appends a step of a created one, or a swap, to the log; resolves when it is applied. Undefined: another process does. */
  readonly appendControl: ((control: AppendControl) => Promise<void>) | undefined;
  readonly visibility: Visibility;
  /** A step is committed: there may be more to checkpoint, though nothing was appended. */
  readonly onStep: () => void;
  readonly rowsPerStep?: number | undefined;
}
