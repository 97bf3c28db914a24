// The bytes of an envelope around the images of a row. What is the same for all rows of an event is made once for it, so a row costs two
// copies more than its images. Two forms: JSON and Avro; the third is in protobuf-envelope.ts.
import { ByteWriter } from '../../core/bytes.js';
import type { ChangeOrigin } from '../../core/change-origin.js';
import type { Op } from '../../core/record.js';
import { writeBigLong, writeLong, writeText } from './avro-write.js';
import type { EnvelopeSource } from './envelope.js';

/** What stands around the two images. */
export interface Surrounds {
  readonly head: Buffer;
  readonly present: Buffer;
  readonly absent: Buffer;
  readonly between: Buffer;
}

/** What stands in front of images, and where one is missing. */
export interface ImageFrames {
  /** In front of `after` where there was no row. */
  readonly created: Buffer;
  /** In front of `before`. */
  readonly changed: Buffer;
  /** Between two images. */
  readonly toAfter: Buffer;
  /** Behind `before` where there is no row any more. */
  readonly deleted: Buffer;
}

function imageFrames({ head, present, absent, between }: Surrounds): ImageFrames {
  return {
    created: Buffer.concat([head, absent, between, present]),
    changed: Buffer.concat([head, present]),
    toAfter: Buffer.concat([between, present]),
    deleted: Buffer.concat([between, absent]),
  };
}

export interface EnvelopeTable extends EnvelopeSource {
  readonly database: string;
  readonly table: string;
  readonly transactions: boolean;
  /** An update that changes none of the columns is no record. */
  readonly skipsUnchanged?: boolean | undefined;
}

export abstract class EnvelopeFrame implements ImageFrames {
  readonly created: Buffer;
  readonly changed: Buffer;
  readonly toAfter: Buffer;
  readonly deleted: Buffer;
  protected readonly of: EnvelopeTable;
  readonly #name: string;
  #stamp = -1;
  /** From `source` up to its row. */
  #beforeRow: Buffer = Buffer.alloc(0);
  /** From behind the row up to the operation, but for a transaction. */
  #afterRow: Buffer = Buffer.alloc(0);
  /** Behind the operation. */
  #times: Buffer = Buffer.alloc(0);

  constructor(of: EnvelopeTable, { created, changed, toAfter, deleted }: ImageFrames) {
    this.of = of;
    this.#name = `${of.database}.${of.table}`;
    this.created = created;
    this.changed = changed;
    this.toAfter = toAfter;
    this.deleted = deleted;
  }

  /** Everything behind `after`. */
  tail(out: ByteWriter, op: Op, origin: ChangeOrigin): void {
    if (this.#stamp !== origin.stamp) {
      this.#stamp = origin.stamp;
      this.#beforeRow = this.sourceOf(origin);
      this.#afterRow = this.restOf(origin);
      this.#times = this.timesOf(Date.now());
    }
    out.copy(this.#beforeRow, 0, this.#beforeRow.length);
    this.row(out, origin.row);
    out.copy(this.#afterRow, 0, this.#afterRow.length);
    if (this.of.transactions && origin.transaction !== null) {
      const [total, inTable] = origin.count(this.#name);
      this.transaction(out, origin.transaction, total, inTable);
    } else this.noTransaction(out);
    this.operation(out, op);
    out.copy(this.#times, 0, this.#times.length);
  }

  protected abstract sourceOf(origin: ChangeOrigin): Buffer;
  protected abstract row(out: ByteWriter, row: number): void;
  protected abstract restOf(origin: ChangeOrigin): Buffer;
  protected abstract transaction(out: ByteWriter, id: string, total: number, inTable: number): void;
  protected abstract noTransaction(out: ByteWriter): void;
  protected abstract operation(out: ByteWriter, op: Op): void;
  protected abstract timesOf(ms: number): Buffer;
}

export class JsonEnvelopeFrame extends EnvelopeFrame {
  readonly #end: string;

  constructor(of: EnvelopeTable, { front, end }: Surrounding) {
    super(of, imageFrames(jsonSurrounds(front)));
    this.#end = end;
  }

  protected sourceOf(origin: ChangeOrigin): Buffer {
    const { version, connector, server, database, table } = this.of;
    const { timeUs: us, snapshot, serverId, gtid, file, position } = origin;
    return Buffer.from(
      `,"source":{"version":${text(version)},"connector":${text(connector)},"name":${text(server)},"ts_ms":${Math.floor(us / 1000)},` +
        `"snapshot":"${snapshot}","db":${text(database)},"sequence":null,"ts_us":${us},"ts_ns":${BigInt(us) * 1000n},` +
        `"table":${text(table)},"server_id":${serverId},"gtid":${text(gtid)},"file":${text(file)},"pos":${position},"row":`,
    );
  }
  protected row(out: ByteWriter, row: number): void {
    out.ascii(String(row));
  }
  protected restOf({ thread, query }: ChangeOrigin): Buffer {
    return Buffer.from(`,"thread":${thread},"query":${text(query)}},"transaction":`);
  }
  protected transaction(out: ByteWriter, id: string, total: number, inTable: number): void {
    out.ascii(`{"id":${text(id)},"total_order":${total},"data_collection_order":${inTable}}`);
  }
  protected noTransaction(out: ByteWriter): void {
    out.ascii('null');
  }
  protected operation(out: ByteWriter, op: Op): void {
    out.ascii(`,"op":"${op}"`);
  }
  protected timesOf(ms: number): Buffer {
    return Buffer.from(`,"ts_ms":${ms},"ts_us":${ms}000,"ts_ns":${ms}000000${this.#end}`);
  }
}

function text(value: string | null): string {
  return JSON.stringify(value);
}

/** What stands in front of an envelope in JSON, and its end with what stands behind it. */
interface Surrounding {
  readonly front: Buffer;
  readonly end: string;
}

/** `schema`: stands in each record. */
export function surroundingOf(schema: string | undefined): Surrounding {
  if (schema === undefined) return { front: Buffer.alloc(0), end: '}' };
  return { front: Buffer.from(`{"schema":${schema},"payload":`), end: '}}' };
}

/** The reader's fast path expects these. */
export function jsonSurrounds(front: Buffer): Surrounds {
  return {
    head: Buffer.concat([front, Buffer.from('{"before":')]),
    present: Buffer.alloc(0),
    absent: Buffer.from('null'),
    between: Buffer.from(',"after":'),
  };
}

const branch = { first: 0, second: 2 } as const;

export class AvroEnvelopeFrame extends EnvelopeFrame {
  readonly #scratch = new ByteWriter(512);

  constructor(of: EnvelopeTable, head: Buffer) {
    const [absent, present] = [Buffer.from([branch.first]), Buffer.from([branch.second])];
    super(of, imageFrames({ head, present, absent, between: Buffer.alloc(0) }));
  }

  protected sourceOf(origin: ChangeOrigin): Buffer {
    const { version, connector, server, database, table } = this.of;
    const out = this.#scratch;
    const us = origin.timeUs;
    writeText(out, version);
    writeText(out, connector);
    writeText(out, server);
    writeLong(out, Math.floor(us / 1000));
    // A default that is no null has the first branch.
    out.u8(branch.first);
    writeText(out, origin.snapshot);
    writeText(out, database);
    out.u8(branch.first);
    out.u8(branch.second);
    writeLong(out, us);
    out.u8(branch.second);
    writeBigLong(out, BigInt(us) * 1000n);
    this.#optional(table);
    writeLong(out, origin.serverId);
    this.#optional(origin.gtid);
    writeText(out, origin.file);
    writeLong(out, origin.position);
    return out.takeFrom(0);
  }
  protected row(out: ByteWriter, row: number): void {
    writeLong(out, row);
  }
  protected restOf({ thread, query }: ChangeOrigin): Buffer {
    const out = this.#scratch;
    if (thread === null) out.u8(branch.first);
    else {
      out.u8(branch.second);
      writeLong(out, thread);
    }
    this.#optional(query);
    return out.takeFrom(0);
  }
  protected transaction(out: ByteWriter, id: string, total: number, inTable: number): void {
    out.u8(branch.second);
    writeText(out, id);
    writeLong(out, total);
    writeLong(out, inTable);
  }
  protected noTransaction(out: ByteWriter): void {
    out.u8(branch.first);
  }
  protected operation(out: ByteWriter, op: Op): void {
    writeText(out, op);
  }
  protected timesOf(ms: number): Buffer {
    const out = this.#scratch;
    for (const factor of [1n, 1000n, 1_000_000n]) {
      out.u8(branch.second);
      writeBigLong(out, BigInt(ms) * factor);
    }
    return out.takeFrom(0);
  }

  #optional(value: string | null): void {
    this.#scratch.u8(value === null ? branch.first : branch.second);
    if (value !== null) writeText(this.#scratch, value);
  }
}
