// The frame that Confluent's serializers put around data with a registered schema: a zero byte, the schema's id (big-endian,
// four bytes), the data. Keys and values have one each.
import { AppError } from '../core/errors.js';

export const frameSize = 5;

/** The frame's bytes for a schema id. */
export function frame(schemaId: number): Buffer {
  const bytes = Buffer.alloc(frameSize);
  bytes.writeInt32BE(schemaId, 1);
  return bytes;
}

/** Of Protobuf the place of the message in its schema follows: here the first one, which has a short form of its own. */
export function messageFrame(schemaId: number): Buffer {
  return Buffer.concat([frame(schemaId), Buffer.from([0])]);
}

/** The schema id of framed data; bad-record when the bytes carry no frame. */
export function schemaIdOf(bytes: Buffer, start: number, end: number): number {
  if (end - start < frameSize || bytes[start] !== 0) {
    throw new AppError('bad-record', 'the record does not begin with the frame of a registered schema', {
      detail: `first bytes ${bytes.toString('hex', start, Math.min(end, start + 8))}`,
    });
  }
  return bytes.readInt32BE(start + 1);
}
