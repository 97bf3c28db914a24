// The table map event: which columns a table had when its rows were written. With binlog_row_metadata=FULL it describes itself
// (names, signedness, character sets, labels, primary key), so rows are never decoded by a schema of another time.
import { AppError } from '../../core/errors.js';
import type { WireColumn } from './binary-reader.js';
import { labelForm, textForm, type ColumnForm } from './column-form.js';
import type { ColumnLabels } from './column-labels.js';
import { metadataSize, stringLength, wire, wireSize } from './wire-type.js';

export interface TableMap {
  readonly database: string;
  readonly table: string;
  readonly columns: readonly WireColumn[];
  /** Empty: the table has no primary key. */
  readonly keyColumns: readonly number[];
  /** Columns that the server keeps for itself: in the row image, but in no SELECT. */
  readonly hidden?: ReadonlySet<number>;
  /** The column that tells until when a row was in force, of a system-versioned table. */
  readonly rowEnd?: number | undefined;
  /** As the server lists them; of a map that is completed. */
  readonly labels?: ColumnLabels | undefined;
}

export interface Collation {
  readonly charset: string;
  /** Bytes of its longest character. */
  readonly maxBytes: number;
}

export interface Collations {
  /** By the number that table maps have. */
  readonly byId: ReadonlyMap<number, Collation>;
  /** Table maps give geometries a collation, too: MariaDB's do. */
  readonly ofGeometries: boolean;
}

/** Database and table name of a table map body (behind the event header); cheap, for those that are not captured. */
export function tableMapName(event: Buffer, body: number): { database: string; table: string; next: number } {
  let at = body + 8;
  const databaseLength = event[at++]!;
  const database = event.toString('utf8', at, at + databaseLength);
  at += databaseLength + 1;
  const tableLength = event[at++]!;
  const table = event.toString('utf8', at, at + tableLength);
  return { database, table, next: at + tableLength + 1 };
}

const field = {
  signedness: 1,
  defaultCharset: 2,
  columnCharset: 3,
  columnName: 4,
  setLabels: 5,
  enumLabels: 6,
  geometryType: 7,
  simplePrimaryKey: 8,
  primaryKeyWithPrefix: 9,
  labelDefaultCharset: 10,
  labelColumnCharset: 11,
  dimensions: 13,
} as const;

const numericTypes: ReadonlySet<number> = new Set([
  wire.tiny,
  wire.short,
  wire.int24,
  wire.long,
  wire.longlong,
  wire.newdecimal,
  wire.float,
  wire.double,
  wire.year,
]);
const textTypes: ReadonlySet<number> = new Set([
  wire.varchar,
  wire.varString,
  wire.string,
  wire.blob,
  wire.tinyBlob,
  wire.mediumBlob,
  wire.longBlob,
  wire.blobCompressed,
  wire.varcharCompressed,
  wire.vector,
]);
const binaryCollation = 63;

interface RawColumn {
  readonly type: number;
  readonly low: number;
  readonly high: number;
}

/** Steps through a part of an event. */
class MetadataInput {
  readonly event: Buffer;
  at: number;
  readonly end: number;

  constructor(event: Buffer, at: number, end: number) {
    this.event = event;
    this.at = at;
    this.end = end;
  }

  length(): number {
    const first = this.event[this.at++]!;
    if (first < 0xfb) return first;
    const bytes = first === 0xfc ? 2 : first === 0xfd ? 3 : 8;
    const value = bytes === 8 ? Number(this.event.readBigUInt64LE(this.at)) : this.event.readUIntLE(this.at, bytes);
    this.at += bytes;
    return value;
  }

  bytes(count: number): Buffer {
    this.at += count;
    return this.event.subarray(this.at - count, this.at);
  }

  get more(): boolean {
    return this.at < this.end;
  }
}

/** `end`: behind the last byte of the event (checksum cut off). */
export function parseTableMap(event: Buffer, body: number, end: number, collations: Collations): TableMap {
  const { database, table, next } = tableMapName(event, body);
  const cursor = new MetadataInput(event, next, end);
  const count = cursor.length();
  const types = cursor.bytes(count);
  const metadata = cursor.bytes(cursor.length());
  const raw: RawColumn[] = [];
  let m = 0;
  for (const code of types) {
    const size = metadataSize(code);
    const low = size > 0 ? metadata[m]! : 0;
    const high = size > 1 ? metadata[m + 1]! : 0;
    m += size;
    // ENUM and SET travel as STRING and give their real type in the first byte of metadata.
    const real = code === wire.string && (low === wire.enum || low === wire.set) ? low : code;
    raw.push({ type: real, low, high });
  }
  const nullable = cursor.bytes((count + 7) >> 3);
  const hasCollation = (type: number) => textTypes.has(type) || (collations.ofGeometries && type === wire.geometry);
  const extra = readMetadata(cursor, raw, hasCollation);
  if (!extra.names) {
    throw new AppError('source-misconfigured', `rows of ${database}.${table} were written without column names`, {
      hint: 'SET GLOBAL binlog_row_metadata = FULL; the snapshot has to be taken anew behind the rows written before',
    });
  }
  const { names } = extra;
  const columns = raw.map((column, i): WireColumn => {
    const size = wireSize(column.type, column.low, column.high);
    const name = names[i]!;
    if (size === undefined) {
      throw new AppError(
        'corrupt-binlog',
        `the table map of ${database}.${table} gives column ${name} the unknown type ${column.type}`,
      );
    }
    const collation = collations.byId.get(extra.collations[i] ?? -1);
    return {
      name,
      nullable: (nullable[i >> 3]! & (1 << (i & 7))) !== 0,
      form: formOf(column, extra, i, collation),
      size,
      labels: extra.labels[i] ?? [],
    };
  });
  return { database, table, columns, keyColumns: extra.keyColumns };
}

interface Metadata {
  names: string[] | undefined;
  unsigned: boolean[];
  collations: (number | undefined)[];
  labels: (Buffer[] | undefined)[];
  keyColumns: number[];
  /** The kind of a geometry, the dimensions of a vector. */
  shapes: (number | undefined)[];
}

/** The optional fields: a type byte, a length, a value. Fields that say nothing about values are stepped over. */
function readMetadata(
  cursor: MetadataInput,
  raw: readonly RawColumn[],
  hasCollation: (type: number) => boolean,
): Metadata {
  const indexes = (match: (type: number) => boolean) => raw.flatMap((column, i) => (match(column.type) ? [i] : []));
  const result: Metadata = { names: undefined, unsigned: [], collations: [], labels: [], keyColumns: [], shapes: [] };
  const isLabelled = (type: number) => type === wire.enum || type === wire.set;

  while (cursor.more) {
    const type = cursor.event[cursor.at++]!;
    const length = cursor.length();
    const value = new MetadataInput(cursor.event, cursor.at, cursor.at + length);
    cursor.at += length;
    switch (type) {
      case field.signedness:
        indexes((t) => numericTypes.has(t)).forEach((column, i) => {
          result.unsigned[column] = (value.event[value.at + (i >> 3)]! & (0x80 >> (i & 7))) !== 0;
        });
        break;
      case field.defaultCharset:
        readDefaultCharset(value, indexes(hasCollation), result.collations);
        break;
      case field.labelDefaultCharset:
        readDefaultCharset(value, indexes(isLabelled), result.collations);
        break;
      case field.columnCharset:
        for (const column of indexes(hasCollation)) result.collations[column] = value.length();
        break;
      case field.labelColumnCharset:
        for (const column of indexes(isLabelled)) result.collations[column] = value.length();
        break;
      case field.columnName:
        result.names = [];
        while (value.more) result.names.push(value.bytes(value.length()).toString('utf8'));
        break;
      case field.setLabels:
      case field.enumLabels:
        for (const column of indexes((t) => t === (type === field.setLabels ? wire.set : wire.enum))) {
          result.labels[column] = Array.from({ length: value.length() }, () =>
            Buffer.from(value.bytes(value.length())),
          );
        }
        break;
      case field.geometryType:
        for (const column of indexes((t) => t === wire.geometry)) result.shapes[column] = value.length();
        break;
      case field.dimensions:
        for (const column of indexes((t) => t === wire.vector)) result.shapes[column] = value.length();
        break;
      case field.simplePrimaryKey:
        while (value.more) result.keyColumns.push(value.length());
        break;
      case field.primaryKeyWithPrefix:
        while (value.more) {
          result.keyColumns.push(value.length());
          // How many characters of the column are in the index: of no matter here.
          value.length();
        }
        break;
      default:
        break;
    }
  }
  return result;
}

/** The collation of most columns, then pairs of (place among `columns`, collation) of the others. */
function readDefaultCharset(
  value: MetadataInput,
  columns: readonly number[],
  collations: (number | undefined)[],
): void {
  const common = value.length();
  for (const column of columns) collations[column] = common;
  while (value.more) {
    const place = value.length();
    collations[columns[place]!] = value.length();
  }
}

const textNames = ['', 'tinytext', 'text', 'mediumtext', 'longtext'] as const;
const blobNames = ['', 'tinyblob', 'blob', 'mediumblob', 'longblob'] as const;

const geometryNames = [
  'geometry',
  'point',
  'linestring',
  'polygon',
  'multipoint',
  'multilinestring',
  'multipolygon',
  'geometrycollection',
] as const;

function formOf(
  { type, low, high }: RawColumn,
  extra: Metadata,
  i: number,
  collation: Collation | undefined,
): ColumnForm {
  const unsigned = extra.unsigned[i] ?? false;
  const collationId = extra.collations[i];
  const binary = collationId === binaryCollation;
  const text = (name: string, bytes: number | undefined): ColumnForm => {
    if (!collation) return { kind: 'unsupported', name: `${name} with collation ${collationId}` };
    const length = bytes === undefined ? '' : `(${Math.trunc(bytes / collation.maxBytes)})`;
    return textForm(name + length, collation.charset);
  };
  switch (type) {
    case wire.tiny:
      return { kind: 'integer', bytes: 1, unsigned };
    case wire.short:
      return { kind: 'integer', bytes: 2, unsigned };
    case wire.int24:
      return { kind: 'integer', bytes: 3, unsigned };
    case wire.long:
      return { kind: 'integer', bytes: 4, unsigned };
    case wire.longlong:
      return { kind: 'integer', bytes: 8, unsigned };
    case wire.float:
      return { kind: 'float' };
    case wire.double:
      return { kind: 'double' };
    case wire.newdecimal:
      return { kind: 'decimal', precision: low, scale: high };
    case wire.year:
      return { kind: 'year' };
    case wire.date:
    case wire.newdate:
      return { kind: 'date' };
    case wire.time2:
      return { kind: 'time', digits: low };
    case wire.datetime2:
      return { kind: 'datetime', digits: low };
    case wire.timestamp2:
      return { kind: 'timestamp', digits: low };
    case wire.bit:
      return { kind: 'bit', bits: high * 8 + low };
    case wire.json:
      return { kind: 'json' };
    case wire.varchar:
    case wire.varString: {
      const bytes = low + high * 256;
      return binary ? { kind: 'bytes', name: `varbinary(${bytes})`, padTo: 0 } : text('varchar', bytes);
    }
    case wire.string: {
      const bytes = stringLength(low, high);
      return binary ? { kind: 'bytes', name: `binary(${bytes})`, padTo: bytes } : text('char', bytes);
    }
    case wire.blob:
    case wire.tinyBlob:
    case wire.mediumBlob:
    case wire.longBlob:
      return binary
        ? { kind: 'bytes', name: blobNames[low] ?? 'blob', padTo: 0 }
        : text(textNames[low] ?? 'text', undefined);
    case wire.enum:
      return labelForm('enum', collation?.charset ?? (binary ? 'binary' : `of collation ${collationId}`));
    case wire.set:
      return labelForm('set', collation?.charset ?? (binary ? 'binary' : `of collation ${collationId}`));
    case wire.geometry:
      return { kind: 'geometry', name: geometryNames[extra.shapes[i] ?? 0] ?? 'geometry' };
    case wire.vector:
      return { kind: 'vector', dimensions: extra.shapes[i] ?? 0 };
    case wire.blobCompressed:
      return binary
        ? { kind: 'bytes', name: blobNames[low] ?? 'blob', padTo: 0, compressed: true }
        : compressed(text(textNames[low] ?? 'text', undefined));
    case wire.varcharCompressed: {
      // One byte of its length is for the header.
      const bytes = low + high * 256 - 1;
      return binary
        ? { kind: 'bytes', name: `varbinary(${bytes})`, padTo: 0, compressed: true }
        : compressed(text('varchar', bytes));
    }
    default:
      // Times in the storage format of before MySQL 5.6.4, which MariaDB still writes with mysql56_temporal_format=OFF. Whether
      // they have a fraction, and so how long they are, only the server tells.
      return { kind: 'unsupported', name: `type ${type} of an old storage format` };
  }
}

function compressed(form: ColumnForm): ColumnForm {
  return form.kind === 'text' ? { ...form, compressed: true } : form;
}
