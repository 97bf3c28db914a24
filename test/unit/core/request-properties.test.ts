import { expect, it } from 'vitest';
import { readRequestProperty, requestProperties, requestPropertyName } from '../../../src/core/request-properties.js';

it.each(requestProperties)('%s is known by its name', (name) => {
  expect(requestPropertyName(name)).toBe(name);
});

it.each([
  ['ksql.streams.auto.offset.reset', 'auto.offset.reset'],
  ['ksql.streams.consumer.auto.offset.reset', 'auto.offset.reset'],
  ['consumer.auto.offset.reset', 'auto.offset.reset'],
  ['ksql.streams.num.stream.threads', 'ksql.streams.num.stream.threads'],
  ['ksql.streams.main.consumer.max.poll.records', 'ksql.streams.main.consumer.max.poll.records'],
  ['producer.acks', 'producer.acks'],
  ['processing.guarantee', 'processing.guarantee'],
])('%s is looked up as %s', (given, name) => {
  expect(requestPropertyName(given)).toBe(name);
});

it.each([
  ['auto.offset.rest', 'did you mean "auto.offset.reset"?'],
  ['ksql.timestamp.throw.on.invalid.', 'did you mean "ksql.timestamp.throw.on.invalid"?'],
  ['ksql.nothing.at.all.of.this.kind', undefined],
  ['__proto__', undefined],
  ['constructor', undefined],
])('%s is nobody’s', (name, hint) => {
  try {
    requestPropertyName(name);
    expect.fail('it is known');
  } catch (error) {
    expect(error).toMatchObject({ code: 'bad-request', hint, place: { path: name } });
  }
});

it.each([
  ['auto.offset.reset', 'LATEST', 'latest'],
  ['ksql.timestamp.throw.on.invalid', true, 'true'],
  ['ksql.persistence.default.format.value', 'json', 'JSON'],
  ['ksql.query.pull.table.scan.enabled', false, false],
])('%s can be %j', (name, value, read) => {
  expect(readRequestProperty(name, value)).toEqual([name, read]);
});

it.each([
  ['auto.offset.reset', 'none', 'it can be "earliest" or "latest"'],
  ['ksql.persistence.default.format.value', 'AVRO', 'it can be "JSON"'],
  ['ksql.streams.default.timestamp.extractor', 'com.example.Own', 'leave it out'],
  ['ksql.output.topic.name.prefix', 'p_', 'it can be ""'],
])('%s cannot be %j, since that would change an answer', (name, value, hint) => {
  expect(() => readRequestProperty(name, value)).toThrow(
    expect.objectContaining({ code: 'bad-request', hint }) as Error,
  );
});
