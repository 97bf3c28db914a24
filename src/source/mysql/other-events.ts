// Events beside transactions and rows: those that carry nothing for us are passed over by name, those that would make rows of
// captured tables unknown end the task, and a type that nobody has told us about ends it, too.
import { AppError } from '../../core/errors.js';
import { eventType, header, ignorableFlag } from './binlog-event.js';

/** `captured`: whether the table of this rows event is. */
export function passOver(event: Buffer, captured: () => boolean): void {
  const type = header.type(event);
  switch (type) {
    case eventType.incident:
      throw new AppError('corrupt-binlog', 'the source reports an incident: changes may be missing from its binlog', {
        hint: '`writethrough connect delete NAME --topics` and create it again: it then begins with a new snapshot',
      });
    case eventType.transactionPayload:
      throw new AppError('unsupported-change', 'a compressed transaction reached the binlog', {
        hint: 'SET GLOBAL binlog_transaction_compression = OFF, and let no session change it',
      });
    case eventType.partialUpdateRows: {
      if (!captured()) return;
      throw new AppError('statement-format-change', 'a partial JSON update reached the binlog', {
        hint: "SET GLOBAL binlog_row_value_options = '', and let no session change it",
      });
    }
    case eventType.executeLoadQuery:
      throw new AppError(
        'statement-format-change',
        'a LOAD DATA reached the binlog as statement text, so its rows are unknown',
        {
          hint: "SET GLOBAL binlog_format = 'ROW', and let no session change it",
        },
      );
    case eventType.mariadbQueryCompressed:
    case eventType.mariadbWriteRowsCompressedV1:
    case eventType.mariadbUpdateRowsCompressedV1:
    case eventType.mariadbDeleteRowsCompressedV1:
    case eventType.mariadbWriteRowsCompressed:
    case eventType.mariadbUpdateRowsCompressed:
    case eventType.mariadbDeleteRowsCompressed:
      throw new AppError('unsupported-change', 'a compressed event reached the binlog', {
        hint: 'SET GLOBAL log_bin_compress = OFF',
      });
    case eventType.stop:
    case eventType.intvar:
    case eventType.rand:
    case eventType.userVar:
    case eventType.beginLoadQuery:
    case eventType.ignorable:
    case eventType.rowsQuery:
    case eventType.previousGtids:
    case eventType.transactionContext:
    case eventType.viewChange:
    case eventType.heartbeatV2:
    case eventType.mariadbAnnotateRows:
    case eventType.mariadbCheckpoint:
    case eventType.mariadbGtidList:
    case eventType.mariadbStartEncryption:
      return;
    default:
      if ((header.flags(event) & ignorableFlag) !== 0) return;
      throw new AppError('corrupt-binlog', `the binlog has an event of the unknown type ${type}`);
  }
}
