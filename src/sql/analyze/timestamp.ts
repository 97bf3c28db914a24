// WITH (TIMESTAMP='column', TIMESTAMP_FORMAT='pattern'): the column that gives a stream's or table's ROWTIME. ms as BIGINT, a TIMESTAMP,
// or a text with the pattern that it is written by. Refused in ksqlDB's words.
import { bounds } from '../../core/bounds.js';
import type { RowSchema } from '../../core/data-type.js';
import { didYouMean } from '../../core/nearest-name.js';
import { createTimeParser } from '../functions/time-pattern-parse.js';
import { TimePatternError } from '../functions/time-pattern.js';
import { messages } from '../messages.js';
import type { SourceProperties } from '../plan.js';
import { invalidStatement, unsupported } from '../sql-error.js';
import type { Context } from './context.js';
import { isOver } from './effort.js';
import type { Properties } from './properties.js';

export function timestampProperties(
  { timestamp, timestampFormat }: Properties,
  schema: RowSchema,
  context: Context,
): Pick<SourceProperties, 'timestampColumn' | 'timestampFormat'> {
  if (timestampFormat) checkPattern(timestampFormat);
  if (timestamp === null) {
    // ksqlDB takes a format that nothing is read by; an option without effect is refused here.
    if (timestampFormat && !context.strict) {
      throw invalidStatement(
        timestampFormat.property.name.place,
        'TIMESTAMP_FORMAT is given without TIMESTAMP',
        "name the column too: WITH (TIMESTAMP='column', TIMESTAMP_FORMAT='...')",
      );
    }
    return { timestampColumn: null };
  }
  const { column, property } = timestamp;
  const found = schema.columns.find((candidate) => context.same(candidate.name, column));
  if (found === undefined) {
    const names = schema.columns.map(({ name }) => name);
    throw invalidStatement(property.value.place, messages.noTimestampColumn(column), didYouMean(column, names));
  }
  const { kind } = found.type;
  if (kind === 'STRING') {
    if (timestampFormat) return { timestampColumn: found.name, timestampFormat: timestampFormat.pattern };
    throw invalidStatement(
      property.value.place,
      messages.timestampWithoutFormat,
      "say how it is written: TIMESTAMP_FORMAT='yyyy-MM-dd HH:mm:ss'",
    );
  }
  if (timestampFormat) throw invalidStatement(timestampFormat.property.name.place, messages.formatOfNoText);
  if (kind === 'BIGINT' || kind === 'TIMESTAMP') return { timestampColumn: found.name };
  throw invalidStatement(property.value.place, messages.noTimestampType(found.name));
}

function checkPattern({ pattern, property }: NonNullable<Properties['timestampFormat']>): void {
  const { value: max } = bounds.timePattern;
  if (isOver('timePattern', pattern.length))
    throw invalidStatement(property.value.place, `TIMESTAMP_FORMAT has ${pattern.length} characters`, `${max} at most`);
  try {
    createTimeParser(pattern);
  } catch (error) {
    if (!(error instanceof TimePatternError)) throw error;
    const { place } = property.value;
    throw error.unsupported
      ? unsupported(place, error.message)
      : invalidStatement(place, messages.badTimestampFormat(error.message));
  }
}
