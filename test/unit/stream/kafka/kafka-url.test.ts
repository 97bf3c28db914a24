import { describe, expect, it } from 'vitest';
import { kafkaDeadlines, parseKafkaUrl } from '../../../../src/stream/kafka/kafka-url.js';

describe('the URL of Kafka brokers', () => {
  it('lists hosts, with the usual port where none is named', () => {
    expect(parseKafkaUrl('kafka://one:19092,two.example,127.0.0.1:9093')).toEqual({
      brokers: ['one:19092', 'two.example:9092', '127.0.0.1:9093'],
      ssl: undefined,
      sasl: undefined,
    });
  });

  it('turns TLS and SASL on', () => {
    expect(parseKafkaUrl('kafka://k:9092?ssl=true&sasl=SCRAM-SHA-512&username=u&password=p%20w')).toEqual({
      brokers: ['k:9092'],
      ssl: true,
      sasl: { mechanism: 'scram-sha-512', username: 'u', password: 'p w' },
    });
  });

  it('takes user and password before the hosts, percent-encoded', () => {
    expect(parseKafkaUrl('kafka://u%40x:p%3Aw@k:9092,l:9092/').sasl).toEqual({
      mechanism: 'plain',
      username: 'u@x',
      password: 'p:w',
    });
  });

  it("takes deadlines under the names that Kafka's clients have for them", () => {
    expect(parseKafkaUrl('kafka://k').deadlines).toBeUndefined();
    expect(parseKafkaUrl('kafka://k?request.timeout.ms=1&delivery.timeout.ms=2').deadlines).toEqual({
      ...kafkaDeadlines,
      request: 1,
      delivery: 2,
    });
  });

  it.each([
    'kafka://k?request.timeout.ms=0',
    'kafka://k?request.timeout.ms=soon',
    'http://k:9092',
    'kafka://',
    'kafka://k:0',
    'kafka://k:70000',
    'kafka://k:9092,',
    'kafka://k?ssl=yes',
    'kafka://k?sasl=kerberos&username=u&password=p',
    'kafka://k?sasl=plain&username=u',
    'kafka://k?tls=true',
    'kafka://k?ssl=false&ca=/nowhere.pem',
  ])('refuses %s, without repeating it', (text) => {
    expect(() => parseKafkaUrl(text)).toThrow(expect.objectContaining({ code: 'bad-config' }) as Error);
    try {
      parseKafkaUrl(text);
    } catch (error) {
      expect((error as Error).message).not.toContain('password=');
    }
  });
});

it.each([
  ['kafka://h?sslx=true', 'did you mean "ssl"?'],
  ['kafka://h?pasword=p', 'did you mean "password"?'],
  ['kafka://h?request.timeout=1', undefined],
])('%s has an unknown parameter, and is told the nearest', (url, hint) => {
  try {
    parseKafkaUrl(url);
    expect.fail('it is taken');
  } catch (error) {
    expect(error).toMatchObject({ code: 'bad-config', ...(hint === undefined ? {} : { hint }) });
  }
  expect(() => parseKafkaUrl('kafka://h?ssl=true&ssl=false')).toThrow('twice');
});
