// Writes the headers that a configuration adds to the records of a table, in the form of core/record-headers.ts. Names, and values that are
// the same for all records, are made once.
import type { ChangeOrigin } from '../../core/change-origin.js';
import { ByteWriter } from '../../core/bytes.js';
import type { Value } from '../../core/data-type.js';
import { assert } from '../../core/errors.js';
import { headersMax } from '../../core/record-headers.js';
import { opOfCode } from '../../core/record.js';
import { writeLong, writeText } from './avro-write.js';
import { changeFact } from './change-facts.js';
import type { AddedColumn } from './projected-row-encoder.js';

export interface AddedHeader {
  readonly name: string;
  readonly value: AddedColumn;
  /** Of tombstones that come behind what tells of the delete, too. */
  readonly everywhere?: true | undefined;
}

/** Undefined: there are none. */
export function headersWriter(
  headers: readonly AddedHeader[] | undefined,
  origin: ChangeOrigin,
): HeadersWriter | undefined {
  return headers === undefined || headers.length === 0 ? undefined : new HeadersWriter(headers, origin);
}

/** Of those tombstones. */
export function tombstoneHeadersWriter(
  headers: readonly AddedHeader[] | undefined,
  origin: ChangeOrigin,
): HeadersWriter | undefined {
  return headersWriter(
    headers?.filter(({ everywhere }) => everywhere),
    origin,
  );
}

interface Part {
  /** The bytes up to what differs. */
  readonly fixed: Buffer;
  readonly differs: Exclude<AddedColumn, { readonly kind: 'constant' }>;
}

export class HeadersWriter {
  readonly #origin: ChangeOrigin;
  readonly #parts: readonly Part[];
  readonly #rest: Buffer;
  /** Where the newest headers have the letter of the operation. */
  readonly #opsAt: number[] = [];

  constructor(headers: readonly AddedHeader[], origin: ChangeOrigin) {
    assert(headers.length <= headersMax, 'the number of headers fits its byte');
    this.#origin = origin;
    const parts: Part[] = [];
    const bytes = new ByteWriter(64);
    let from = 0;
    bytes.u8(headers.length);
    for (const { name, value } of headers) {
      writeText(bytes, name);
      if (value.kind === 'constant') writeText(bytes, textOf(value.value));
      else {
        parts.push({ fixed: Buffer.from(bytes.written().subarray(from)), differs: value });
        from = bytes.length;
      }
    }
    this.#parts = parts;
    this.#rest = Buffer.from(bytes.written().subarray(from));
  }

  /** `op`: its code. The number of bytes. */
  write(out: ByteWriter, op: number): number {
    const start = out.length;
    this.#opsAt.length = 0;
    for (const { fixed, differs } of this.#parts) {
      out.copy(fixed, 0, fixed.length);
      if (differs.kind === 'op') {
        writeText(out, opOfCode[op]!);
        this.#opsAt.push(out.length - 1);
      } else {
        const value = changeFact(differs.fact).read(this.#origin);
        if (value === null) writeLong(out, -1);
        else writeText(out, textOf(value));
      }
    }
    out.copy(this.#rest, 0, this.#rest.length);
    return out.length - start;
  }

  /** The newest ones are of another operation. */
  setOp({ buffer }: ByteWriter, op: number): void {
    for (const at of this.#opsAt) buffer[at] = opOfCode[op]!.charCodeAt(0);
  }
}

function textOf(value: Value): string {
  assert(typeof value !== 'object', 'a header has one value');
  return String(value);
}
