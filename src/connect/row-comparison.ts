// The comparison of rows of a source with those that are held: they are encoded just as they would be for the log, into a chunk of their
// own, and the engine decodes them as it decodes records, so that what differs is what a record would change.
import { assert } from '../core/errors.js';
import type { Chunk } from '../core/append.js';
import type { RowEncoder } from '../core/row-encoder.js';
import { RecordChunkBuilder } from '../schema/formats/chunk-builder.js';
import type { RecordDifference, RowComparison } from '../source/verification.js';

export interface CompareRowsRequest {
  readonly connector: string;
  /** `database.table` */
  readonly table: string;
  readonly chunk: Chunk;
}

export interface RowComparisonEnv {
  readonly connector: string;
  /** Resolves when everything that was yielded is applied. */
  readonly settled: () => Promise<void>;
  readonly compareRows: (request: CompareRowsRequest) => Promise<readonly RecordDifference[] | 'unknown'>;
}

const chunkBytes = 64 * 1024;

/** Makes the encoder of a table over a chunk. */
export type MakeEncoder = (chunks: RecordChunkBuilder) => RowEncoder;

/** How the tables of a task are encoded, by `database.table`, as they were opened last. */
export class EncoderMakers {
  readonly #makers = new Map<string, MakeEncoder>();

  opened(table: string, make: MakeEncoder): void {
    this.#makers.set(table, make);
  }

  of(table: string): MakeEncoder | undefined {
    return this.#makers.get(table);
  }
}

export class EncodedComparison implements RowComparison {
  readonly #env: RowComparisonEnv;
  readonly #makers: EncoderMakers;
  #chunks: RecordChunkBuilder | undefined;
  #encoder: { readonly make: MakeEncoder; readonly encoder: RowEncoder } | undefined;

  constructor(env: RowComparisonEnv, makers: EncoderMakers) {
    this.#env = env;
    this.#makers = makers;
  }

  encoderOf(table: string): RowEncoder {
    const make = this.#makers.of(table);
    assert(make, 'only rows of an opened table are compared');
    this.#chunks ??= new RecordChunkBuilder({ chunkBytes });
    if (this.#encoder?.make !== make) this.#encoder = { make, encoder: make(this.#chunks) };
    return this.#encoder.encoder;
  }

  get recordCount(): number {
    return this.#chunks?.recordCount ?? 0;
  }

  async compare(table: string): Promise<readonly RecordDifference[] | 'unknown'> {
    const chunk = this.#chunks?.take();
    if (!chunk) return [];
    await this.#env.settled();
    return this.#env.compareRows({ connector: this.#env.connector, table, chunk });
  }

  discard(): void {
    this.#chunks?.take();
    this.#encoder = undefined;
  }
}
