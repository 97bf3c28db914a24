// A data folder and the processes over it, one at a time. With a follower there are two of them over one log, and which of them leads
// changes: a process that led and was not told so goes on as if it did, until the brokers refuse it.
import type { EngineOptions, EngineRole } from '../../src/engine/engine-api.js';
import { SimulatedDisk, type Image, type JournalledFolder } from './disk.js';
import type { SimulatedProcess } from './process.js';
import { Standing } from './standing.js';

export class Place {
  readonly name: string;
  readonly disk: SimulatedDisk;
  readonly standing: Standing;
  readonly #options: Omit<EngineOptions, 'dataFolder' | 'role'>;
  process!: SimulatedProcess;
  /** The newest commit that its process has told. */
  seq = 0;
  /** What the death of its process has left, until the next step. */
  killed: Image | undefined;

  constructor(
    name: string,
    options: Omit<EngineOptions, 'dataFolder' | 'role'>,
    {
      journalled,
      breach,
    }: { readonly journalled?: JournalledFolder | undefined; readonly breach: (text: string) => void },
  ) {
    this.name = name;
    this.disk = new SimulatedDisk(journalled);
    this.standing = new Standing(breach);
    this.#options = options;
  }

  /** Connections to Kafka name the place. */
  options(role: EngineRole): EngineOptions {
    const { stream } = this.#options;
    return {
      ...this.#options,
      stream: stream.kind === 'kafka' ? { kind: 'kafka', url: `kafka://${this.name}` } : stream,
      dataFolder: this.disk.folder,
      role,
    };
  }

  wipe(): void {
    this.disk.restore(new Map());
    this.seq = 0;
  }
}
