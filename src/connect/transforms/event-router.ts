// Debezium's EventRouter: what it is set to, and which columns of a table that means. The topics of events are known from the rows alone
// (routed-topics.ts).
import type { AppError } from '../../core/errors.js';
import { headersMax, logHeaders } from '../../core/record-headers.js';
import type { SourceTable } from '../../core/row-encoder.js';
import type { OutboxPlan } from '../../schema/formats/outbox-row-encoder.js';
import { group, patterns, truth, type PropertyDef, type Rest } from '../properties/property.js';
import { renameProblem } from './topic-rename.js';

/** Plain values: they go to another thread. */
export interface EventRouting {
  readonly routeBy: string;
  readonly regex: string;
  readonly replacement: string;
  readonly key: string;
  readonly payload: string;
  readonly raw: boolean;
  readonly expand: boolean;
  readonly fields: readonly { readonly name: string; readonly column: string }[];
  readonly headers: readonly { readonly name: string; readonly column: string }[];
  /** The column of the header `id`; undefined: "id", where there is one. */
  readonly id: string | undefined;
  readonly emptyIsTombstone: boolean;
  readonly onUpdate: 'warn' | 'error' | 'fatal';
}

/** Converters that write the text or the bytes of a payload as they are. */
export const rawConverters: readonly string[] = [
  'org.apache.kafka.connect.storage.StringConverter',
  'org.apache.kafka.connect.converters.ByteArrayConverter',
  'io.debezium.converters.BinaryDataConverter',
  'io.debezium.converters.ByteBufferConverter',
  'io.debezium.converters.ByteArrayConverter',
];

const transforms = group('Transforms');
const noVersions = 'JSON without schemas has no versions of them';

export function eventRouterProperties(at: string): readonly PropertyDef[] {
  const implemented = (name: string, doc: string, rest?: Rest) => transforms.implemented(`${at}.${name}`, doc, rest);
  const accepted = (name: string, doc: string, rest?: Rest) => transforms.accepted(`${at}.${name}`, doc, rest);
  return [
    implemented('route.by.field', 'column whose text the topic is made of; "aggregatetype" by default'),
    implemented('route.topic.regex', 'of that text, as a whole; "(?<routedByValue>.*)" by default', patterns),
    implemented('route.topic.replacement', 'the topic; "outbox.event.${routedByValue}" by default'),
    implemented('route.tombstone.on.empty.payload', 'a payload that is NULL or blank becomes a null value', truth),
    implemented('table.field.event.key', 'column of the key; "aggregateid" by default', {
      aliases: [`${at}.table.field.payload.id`],
    }),
    implemented('table.field.event.payload', 'column of the value; "payload" by default', {
      aliases: [`${at}.table.field.payload`],
    }),
    implemented(
      'table.expand.json.payload',
      'a payload that is text of a JSON object or array stands in JSON as such, whole: with empty arrays, too',
      truth,
    ),
    implemented(
      'table.fields.additional.placement',
      'column:envelope or column:envelope:name, a field beside "payload"; column:header or column:header:name, a header; not partition',
      { type: 'LIST' },
    ),
    implemented(
      'table.op.invalid.behavior',
      'of updates, of which nothing is written: a line in the log, or the table stands still',
      {
        values: ['warn', 'error', 'fatal'],
        aliases: [`${at}.debezium.op.invalid.behavior`],
      },
    ),
    transforms.refused(`${at}.table.field.event.timestamp`, 'the time of a record is that of its commit', [''], {
      way: 'place the column in the envelope: table.fields.additional.placement',
    }),
    implemented('table.field.event.id', 'column of the header "id"; "id" by default, where the table has it'),
    accepted('table.field.event.type', 'it says nothing by itself; place it in the envelope or a header'),
    accepted('table.field.event.schema.version', noVersions),
    accepted('table.field.schema.version', noVersions),
    accepted('table.json.payload.null.behavior', 'fields that are null stay', { values: ['ignore', 'optional_null'] }),
    accepted('tracing.span.context.field', 'spans are not traced'),
    accepted('tracing.operation.name', 'spans are not traced'),
    accepted('tracing.with.context.field.only', 'spans are not traced', truth),
  ];
}

interface Reader {
  readonly value: (name: string) => string | undefined;
  readonly problem: (property: string, message: string, hint?: string) => void;
  readonly converter: string | undefined;
}

export function readEventRouter({ value, problem, converter }: Reader): EventRouting {
  const regex = value('route.topic.regex') ?? '(?<routedByValue>.*)';
  const replacement = value('route.topic.replacement') ?? 'outbox.event.${routedByValue}';
  const wrong = renameProblem(regex, replacement);
  if (wrong !== undefined)
    problem(
      'route.topic.replacement',
      `"${replacement}" for "${regex}": ${wrong}`,
      'its groups are those of route.topic.regex',
    );
  const raw = converter !== undefined && rawConverters.includes(converter);
  const placed = placements(value('table.fields.additional.placement') ?? '', problem);
  const { envelope: fields, header: headers } = placed;
  if (raw && fields.length > 0)
    problem(
      'table.fields.additional.placement',
      `${converter} writes the payload alone`,
      'use JsonConverter for values, or place the column in a header',
    );
  return {
    routeBy: value('route.by.field') ?? 'aggregatetype',
    regex,
    replacement,
    key: value('table.field.event.key') ?? 'aggregateid',
    payload: value('table.field.event.payload') ?? 'payload',
    raw,
    expand: value('table.expand.json.payload') === 'true',
    fields,
    headers,
    id: value('table.field.event.id'),
    emptyIsTombstone: value('route.tombstone.on.empty.payload') === 'true',
    onUpdate: (value('table.op.invalid.behavior') ?? 'warn') as EventRouting['onUpdate'],
  };
}

interface Placed {
  readonly name: string;
  readonly column: string;
}

/** Of `column:place` or `column:place:name`, by the place. */
function placements(text: string, problem: Reader['problem']): Record<'envelope' | 'header', Placed[]> {
  const placed: Record<'envelope' | 'header', Placed[]> = { envelope: [], header: [] };
  for (const entry of text.split(',').map((part) => part.trim())) {
    if (entry === '') continue;
    const [column = '', place, name = column, more] = entry.split(':').map((part) => part.trim());
    const fits = (place === 'envelope' || place === 'header') && column !== '' && more === undefined;
    const isTaken = place === 'header' && (name === idHeader || logHeaders.includes(name));
    if (fits && !isTaken) placed[place].push({ name, column });
    else {
      const why = isTaken
        ? `there is a header "${name}" already`
        : place === 'partition'
          ? 'a record goes to the partition of its key'
          : 'it is no placement';
      problem(
        'table.fields.additional.placement',
        `"${entry}" is not done: ${why}`,
        isTaken ? `write ${column}:header:NAME` : `write ${column || 'column'}:envelope`,
      );
    }
  }
  if (placed.header.length >= headersMax)
    problem('table.fields.additional.placement', `there are more than ${headersMax} headers`, 'leave some out');
  return placed;
}

/** Of the event, by which its readers know it again. */
const idHeader = 'id';

type Fail = (message: string, hint: string) => AppError;

/** The columns of a table; throws where it is no outbox. */
export function planOutbox(
  routing: EventRouting,
  { columns }: SourceTable,
  keyFormat: 'JSON' | 'AVRO' | 'PROTOBUF' | 'TEXT',
  fail: Fail,
): OutboxPlan {
  const place = (name: string): number => {
    const at = columns.findIndex((column) => column.name === name);
    if (at >= 0) return at;
    throw fail(
      `finds no column "${name}" in it`,
      'give the transform a predicate (TopicNameMatches), or capture the outbox table by a connector of its own',
    );
  };
  const route = place(routing.routeBy);
  const payload = place(routing.payload);
  const key = place(routing.key);
  if (columns[route]!.type.kind !== 'STRING')
    throw fail(`routes by "${routing.routeBy}", which is no text`, 'choose another column by route.by.field');
  const { kind } = columns[payload]!.type;
  if (routing.raw && kind !== 'STRING' && kind !== 'BYTES')
    throw fail(
      `cannot write "${routing.payload}" as it is (${columns[payload]!.sourceType})`,
      'use JsonConverter for values',
    );
  const idOf = () => {
    const column = routing.id === undefined ? columns.findIndex(({ name }) => name === idHeader) : place(routing.id);
    return column < 0 ? [] : [{ name: idHeader, column }];
  };
  const keyKind = columns[key]!.type.kind;
  const isText = keyFormat === 'TEXT' && (keyKind === 'STRING' || keyKind === 'BYTES');
  return {
    route,
    key,
    keyFormat: isText ? 'KAFKA' : 'JSON',
    payload,
    raw: routing.raw,
    expand: routing.expand,
    fields: routing.fields.map(({ name, column }) => ({ name, column: place(column) })),
    headers: [...idOf(), ...routing.headers.map(({ name, column }) => ({ name, column: place(column) }))],
    emptyIsTombstone: routing.emptyIsTombstone,
  };
}
