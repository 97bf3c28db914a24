// Events beside transactions and rows: those that carry nothing for us are passed over by name, those that would make rows of
// captured tables unknown end the task, and a type that nobody has told us about ends it, too.
import type { ChangeOrigin } from '../../core/change-origin.js';
import { AppError } from '../../core/errors.js';
import { eventType, header, headerSize, ignorableFlag } from './binlog-event.js';

/** `queries`: is told the text of statements. */
export function passOver(event: Buffer, queries: ChangeOrigin | undefined): void {
  const type = header.type(event);
  switch (type) {
    case eventType.incident:
      throw new AppError('corrupt-binlog', 'the source reports an incident: changes may be missing from its binlog', {
        hint: '`writethrough connect delete NAME --topics` and create it again: it then begins with a new snapshot',
      });
    case eventType.executeLoadQuery:
      throw new AppError(
        'statement-format-change',
        'a LOAD DATA reached the binlog as statement text, so its rows are unknown',
        {
          hint: "SET GLOBAL binlog_format = 'ROW', and let no session change it",
        },
      );
    case eventType.rowsQuery:
      // Its first byte is the length, as far as it fits.
      if (queries) queries.query = event.toString('utf8', headerSize + 1);
      return;
    case eventType.mariadbAnnotateRows:
      if (queries) queries.query = event.toString('utf8', headerSize);
      return;
    case eventType.stop:
    case eventType.intvar:
    case eventType.rand:
    case eventType.userVar:
    case eventType.beginLoadQuery:
    case eventType.ignorable:
    case eventType.previousGtids:
    case eventType.transactionContext:
    case eventType.viewChange:
    case eventType.heartbeatV2:
    case eventType.mariadbCheckpoint:
    case eventType.mariadbGtidList:
    case eventType.mariadbStartEncryption:
      return;
    default:
      if ((header.flags(event) & ignorableFlag) !== 0) return;
      throw new AppError('corrupt-binlog', `the binlog has an event of the unknown type ${type}`);
  }
}
