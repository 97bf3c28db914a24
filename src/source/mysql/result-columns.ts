// The columns of a result as the server describes them in front of its rows: of a view or a query, whose columns no other list has. Text
// comes in utf8mb4, into which the session has the server convert it.
import type { FieldPacket } from 'mysql2';
import { textForm, type ColumnForm, type TableColumn } from './column-form.js';
import { boundValues, notUnderstood } from './answer-bounds.js';
import type { Session } from './connection.js';
import { rawQuery } from './raw-rows.js';

/** The part of a column's description that the driver's types leave out. */
interface ResultField extends FieldPacket {
  readonly characterSet: number;
}

/** Rejects where the server refuses the statement. */
export function describeResult(session: Session, sql: string): Promise<TableColumn[]> {
  return session.askLong('describing a result', (connection, resolve, reject) => {
    const query = rawQuery(connection, sql, (error, _rows, fields) => {
      if (error) reject(error);
      else if (fields === undefined) reject(notUnderstood('a question has no result'));
      else resolve((fields as ResultField[]).map(columnOf));
    });
    boundValues(query);
  });
}

const flag = { notNull: 1, unsigned: 32, enum: 256, set: 2048 } as const;
const binaryCharset = 63;
/** Bytes of the longest character in utf8mb4. */
const characterBytes = 4;

function columnOf(field: ResultField): TableColumn {
  return { name: field.name, nullable: (Number(field.flags) & flag.notNull) === 0, form: formOf(field) };
}

/** By the numbers of the protocol (Protocol::ColumnDefinition). */
function formOf(field: ResultField): ColumnForm {
  const flags = Number(field.flags);
  const length = field.columnLength ?? 0;
  const unsigned = (flags & flag.unsigned) !== 0;
  // 31: no fixed number of digits.
  const digits = Math.min(field.decimals ?? 0, 6);
  const isText = field.characterSet !== binaryCharset;
  if ((flags & flag.enum) !== 0) return { kind: 'enum', charset: 'utf8mb4' };
  if ((flags & flag.set) !== 0) return { kind: 'set', charset: 'utf8mb4' };
  switch (field.columnType) {
    case 1:
      return { kind: 'integer', bytes: 1, unsigned };
    case 2:
      return { kind: 'integer', bytes: 2, unsigned };
    case 9:
      return { kind: 'integer', bytes: 3, unsigned };
    case 3:
      return { kind: 'integer', bytes: 4, unsigned };
    case 8:
      return { kind: 'integer', bytes: 8, unsigned };
    case 0:
    case 246: {
      const scale = field.decimals ?? 0;
      return { kind: 'decimal', precision: length - (scale > 0 ? 1 : 0) - (unsigned ? 0 : 1), scale };
    }
    case 4:
      return { kind: 'float' };
    case 5:
      return { kind: 'double' };
    case 16:
      return { kind: 'bit', bits: length };
    case 10:
      return { kind: 'date' };
    case 11:
      return { kind: 'time', digits };
    case 12:
      return { kind: 'datetime', digits };
    case 7:
      return { kind: 'timestamp', digits };
    case 13:
      return { kind: 'year' };
    case 242:
      return { kind: 'vector', dimensions: Math.floor(length / 4) };
    case 245:
      return { kind: 'json' };
    case 255:
      return { kind: 'geometry', name: 'geometry' };
    // A bare NULL.
    case 6:
      return textForm('text', 'utf8mb4');
    case 254:
      if (isText) return textForm(`char(${Math.floor(length / characterBytes)})`, 'utf8mb4');
      return { kind: 'bytes', name: `binary(${length})`, padTo: length };
    case 15:
    case 253:
      if (isText) return textForm(`varchar(${Math.floor(length / characterBytes)})`, 'utf8mb4');
      return { kind: 'bytes', name: `varbinary(${length})`, padTo: 0 };
    case 249:
    case 250:
    case 251:
    case 252:
      return isText ? textForm('text', 'utf8mb4') : { kind: 'bytes', name: 'blob', padTo: 0 };
    default:
      return { kind: 'unsupported', name: `number ${field.columnType} of the protocol` };
  }
}
