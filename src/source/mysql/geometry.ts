// Geometries as both servers keep them: the SRID in four bytes, then well-known binary. Served as a struct of the two, or as
// GeoJSON text; the order of the coordinates is that of the bytes (longitude first), which is GeoJSON's, too.
import type { Value } from '../../core/data-type.js';
import type { ValueWriter } from '../../core/row-encoder.js';
import type { GeometryForm } from './column-form.js';
import { unconvertible } from './unconvertible.js';

type GeometryWriter = (source: Buffer, start: number, end: number, to: ValueWriter) => void;

export function geometryWriter(as: GeometryForm | undefined, where: string): GeometryWriter {
  return (source, start, end, to) => {
    if (end - start < 9) throw unconvertible(where, 'it is no geometry', source, start, end);
    const srid = source.readInt32LE(start);
    if (as !== 'geojson') {
      const struct: readonly Value[] = [Buffer.from(source.subarray(start + 4, end)), srid];
      to.value(struct);
      return;
    }
    let text: string;
    try {
      text = JSON.stringify(new WellKnownBinary(source.subarray(start + 4, end)).geometry());
    } catch {
      throw unconvertible(where, 'it cannot be told as GeoJSON', source, start, end);
    }
    to.string(text);
  };
}

type Position = readonly number[];
type Positions = readonly (Position | Positions)[];
type Geometry =
  | { readonly type: string; readonly coordinates: Position | Positions }
  | { readonly type: 'GeometryCollection'; readonly geometries: readonly Geometry[] };

class WellKnownBinary {
  readonly #bytes: Buffer;
  #at = 0;
  #little = true;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  geometry(): Geometry {
    this.#little = this.#bytes.readUInt8(this.#at) === 1;
    this.#at += 1;
    switch (this.#count()) {
      case 1:
        return { type: 'Point', coordinates: this.#position() };
      case 2:
        return { type: 'LineString', coordinates: this.#positions() };
      case 3:
        return { type: 'Polygon', coordinates: this.#rings() };
      case 4:
        return { type: 'MultiPoint', coordinates: this.#parts() };
      case 5:
        return { type: 'MultiLineString', coordinates: this.#parts() };
      case 6:
        return { type: 'MultiPolygon', coordinates: this.#parts() };
      case 7:
        return { type: 'GeometryCollection', geometries: this.#times(() => this.geometry()) };
      default:
        throw new RangeError('unknown kind of geometry');
    }
  }

  #count(): number {
    const count = this.#little ? this.#bytes.readUInt32LE(this.#at) : this.#bytes.readUInt32BE(this.#at);
    this.#at += 4;
    return count;
  }

  #times<T>(read: () => T): T[] {
    const items: T[] = [];
    for (let left = this.#count(); left > 0; left--) items.push(read());
    return items;
  }

  #number(): number {
    const value = this.#little ? this.#bytes.readDoubleLE(this.#at) : this.#bytes.readDoubleBE(this.#at);
    this.#at += 8;
    return value;
  }

  #position(): Position {
    return [this.#number(), this.#number()];
  }

  #positions(): Positions {
    return this.#times(() => this.#position());
  }

  #rings(): Positions {
    return this.#times(() => this.#positions());
  }

  /** Of the members of a collection of one kind, which have a head of their own. */
  #parts(): Positions {
    return this.#times(() => {
      const part = this.geometry();
      return 'coordinates' in part ? part.coordinates : [];
    });
  }
}

/** VECTOR: 32-bit floats, as both servers send and log them. */
export function vectorOf(source: Buffer, start: number, end: number, shortest: (value: number) => number): Value {
  const values: number[] = [];
  for (let at = start; at + 4 <= end; at += 4) values.push(shortest(source.readFloatLE(at)));
  return values;
}
