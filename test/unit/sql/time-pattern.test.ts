// Patterns of Java's DateTimeFormatter. What each text comes to was taken from Java 17, through the steps by which ksqlDB makes a
// timestamp of it.
import { describe, expect, it } from 'vitest';
import { createTimeParser } from '../../../src/sql/functions/time-pattern-parse.js';
import { TimePatternError } from '../../../src/sql/functions/time-pattern.js';

const inJava: readonly (readonly [pattern: string, text: string, ms: number | null])[] = [
  ["yyyy-MM-dd'T'HH:mm:ss.SX", '2019-08-27T13:31:09.2+0000', 1566912669200],
  ["yyyy-MM-dd'T'HH:mm:ssX", '2018-05-11T21:58:33Z', 1526075913000],
  ["yyyy-MM-dd'T'HH:mm:ssX", '2018-05-11T21:58:33z', 1526075913000],
  ["yyyy-MM-dd'T'HH:mm:ssX", '2018-05-11T21:58:33+02', 1526068713000],
  ["yyyy-MM-dd'T'HH:mm:ssX", '2018-05-11T21:58:33+0230', 1526066913000],
  ["yyyy-MM-dd'T'HH:mm:ssX", '2018-05-11T21:58:33+02:30', null],
  ["yyyy-MM-dd'T'HH:mm:ssX", 'not a timestamp', null],
  ['yy-MM-dd HH:mm:ssX', '10-04-19 12:00:17Z', 1271678417000],
  ['yy-MM-dd HH:mm:ssX', '!!!!!!!!!!!!!!!!!', null],
  ['yyyy-MM-dd HH:mm:ss.SSS', '2021-06-30 23:59:59.123', 1625097599123],
  ['yyyy-MM-dd HH:mm:ss.SSS', '2021-06-30 23:59:59.12', null],
  ['yyyy-MM-dd HH:mm:ss.SSS', '2021-06-30 23:59:59.1234', null],
  ['yyyy-MM-dd HH:mm:ss.SSSSSS', '2021-06-30 23:59:59.123456', 1625097599123],
  ['yyyy-MM-dd HH:mm:ss[.SSS]', '2021-06-30 23:59:59', 1625097599000],
  ['yyyy-MM-dd HH:mm:ss[.SSS]', '2021-06-30 23:59:59.500', 1625097599500],
  ['yyyyMMddHHmmss', '20210630235959', 1625097599000],
  ['yyyyMMddHHmmssSSS', '20210630235959123', 1625097599123],
  ['yyyyMMdd', '20210630', 1625011200000],
  ['yyyyMMdd', '120210630', null],
  ['yyyyMMdd', '+120210630', 317194531200000],
  ['yyyy-MM-dd', '2021-02-30', 1614470400000],
  ['yyyy-MM-dd', '2021-04-31', 1619740800000],
  ['yyyy-MM-dd', '2021-02-32', null],
  ['yyyy-MM-dd', '2021-13-01', null],
  ['yyyy-MM-dd', '2020-02-29', 1582934400000],
  ['yyyy-MM-dd', '12021-02-03', null],
  ['yyyy-MM-dd', '+12021-02-03', 317181830400000],
  ['yyyy-MM-dd', '0001-01-01', -62135596800000],
  ['yyyy-MM-dd', '1605-11-05', -11491632000000],
  ['y-M-d', '2021-6-3', 1622678400000],
  ['y-M-d', '21-6-3', -61491225600000],
  ['y-M-d', '2021-06-03', 1622678400000],
  ['d/M/yy', '3/6/21', 1622678400000],
  ['MM-dd', '02-29', 5011200000],
  ['MM-dd', '03-04', 5356800000],
  ['yyyy', '2021', 1609459200000],
  ['yyyy-MM', '2021-07', 1625097600000],
  ['HH:mm', '12:30', 45000000],
  ['HH:mm', '24:00', 0],
  ['yyyy-MM-dd HH:mm', '2021-06-30 24:00', 1625097600000],
  ['yyyy-MM-dd HH:mm', '2021-06-30 24:01', null],
  ['yyyy-MM-dd kk:mm', '2021-06-30 24:01', 1625011260000],
  ['yyyy-MM-dd hh:mm a', '2021-06-30 12:01 AM', 1625011260000],
  ['yyyy-MM-dd hh:mm a', '2021-06-30 12:01 pm', 1625054460000],
  ['yyyy-MM-dd hh:mm', '2021-06-30 11:01', 1625050860000],
  ['yyyy-MM-dd KK:mm a', '2021-06-30 11:01 PM', 1625094060000],
  ['dd MMM yyyy', '03 Jun 2021', 1622678400000],
  ['dd MMM yyyy', '03 jun 2021', 1622678400000],
  ['EEE, dd MMM yyyy HH:mm:ss Z', 'Wed, 30 Jun 2021 08:00:00 +0200', 1625032800000],
  ['EEE, dd MMM yyyy HH:mm:ss Z', 'Thu, 30 Jun 2021 08:00:00 +0200', null],
  ['yyyy-DDD', '2021-366', null],
  ['yyyy-DDD', '2020-366', 1609372800000],
  ['yyyy-DDD', '2021-060', 1614556800000],
  ['DDD', '060', 5097600000],
  ['DDD', '366', null],
  ["yyyy-MM-dd'T'HH:mm:ssXXX", '2021-06-30T08:00:00+02:00', 1625032800000],
  ["yyyy-MM-dd'T'HH:mm:ssXXX", '2021-06-30T08:00:00Z', 1625040000000],
  ["yyyy-MM-dd'T'HH:mm:ssxxx", '2021-06-30T08:00:00+00:00', 1625040000000],
  ["yyyy-MM-dd'T'HH:mm:ssxxx", '2021-06-30T08:00:00Z', null],
  ["yyyy-MM-dd'T'HH:mm:ssXXXXX", '2021-06-30T08:00:00+02:00:30', 1625032770000],
  ["yyyy-MM-dd'T'HH:mm:ssXXXX", '2021-06-30T08:00:00-020030', 1625047230000],
  ["yyyy-MM-dd'T'HH:mm:ssZ", '2021-06-30T08:00:00+0000', 1625040000000],
  ["yyyy-MM-dd'T'HH:mm:ssZ", '2021-06-30T08:00:00Z', null],
  ["yyyy-MM-dd'T'HH:mm:ssZZZZ", '2021-06-30T08:00:00GMT+02:00', 1625032800000],
  ["yyyy-MM-dd'T'HH:mm:ssZZZZZ", '2021-06-30T08:00:00Z', 1625040000000],
  ["yyyy-MM-dd'T'HH:mm:ss O", '2021-06-30T08:00:00 GMT+2', 1625032800000],
  ["yyyy-MM-dd'T'HH:mm:ss VV", '2021-06-30T08:00:00 Europe/Berlin', 1625032800000],
  ["yyyy-MM-dd'T'HH:mm:ss VV", '2021-01-30T08:00:00 America/New_York', 1612011600000],
  ["yyyy-MM-dd'T'HH:mm:ss VV", '2021-06-30T08:00:00 Nowhere/Else', null],
  ["yyyy-MM-dd'T'HH:mm:ss'['VV']'", '2021-06-30T08:00:00[Europe/Berlin]', 1625032800000],
  ['yyyy-MM-dd HH:mm:ss z', '2021-06-30 08:00:00 PST', 1625065200000],
  ['yyyy-MM-dd HH:mm:ss z', '2021-06-30 08:00:00 PDT', 1625065200000],
  ['yyyy-MM-dd HH:mm:ss z', '2021-01-30 08:00:00 PST', 1612022400000],
  ['yyyy-MM-dd HH:mm:ss z', '2021-06-30 08:00:00 UTC', 1625040000000],
  ['yyyy-MM-dd HH:mm:ss z', '2021-06-30 08:00:00 GMT', 1625040000000],
  ['yyyy-MM-dd HH:mm:ss z', '2021-06-30 08:00:00 CET', 1625032800000],
  ['yyyy-MM-dd HH:mm:ss z', '2021-06-30 08:00:00 EST', 1625054400000],
  ["yyyy-MM-dd'T'HH:mm:ss VV", '2021-03-28T02:30:00 Europe/Berlin', 1616895000000],
  ["yyyy-MM-dd'T'HH:mm:ss VV", '2021-10-31T02:30:00 Europe/Berlin', 1635640200000],
  ["yyyy-MM-dd''HH", "2021-06-30'08", 1625040000000],
  ["yyyy 'o''clock' HH", "2021 o'clock 08", 1609488000000],
  ['yyyy-MM-dd G', '0044-03-15 BC', -63517824000000],
  ['yyyy-MM-dd A', '2021-06-30 1000', 1625011201000],
  ['yyyy-MM-dd HH:mm:60', '2021-06-30 08:00:60', 1625040000000],
  ['yyyy-MM-dd HH:mm:ss', '2021-06-30 08:00:60', null],
  ['yyyy-MM-dd HH:mm:ss', '2021-06-30 08:00:00 ', null],
  ['yyyy-MM-dd HH:mm:ss', ' 2021-06-30 08:00:00', null],
  ['yyyy-MM-dd HH:mm:ss', '2021-6-30 08:00:00', null],
];

const refusedByJava: readonly (readonly [pattern: string, reason: string])[] = [
  ['invalid', 'Unknown pattern letter: i'],
  ["yyyy-MM-dd'T", "Pattern ends with an incomplete string literal: yyyy-MM-dd'T"],
  ['yyyy-MM-dd]', 'Pattern invalid as it contains ] without previous ['],
  ['yyyyMMMMMM', 'Too many pattern letters: M'],
  ['dddd', 'Too many pattern letters: d'],
];

describe('a time pattern', () => {
  it.each(inJava)('%s reads %s as Java does', (pattern, text, ms) => {
    expect(createTimeParser(pattern)(text)).toBe(ms);
  });

  it('reads names of months and weekdays in full, in English', () => {
    expect(createTimeParser('EEEE dd MMMM yyyy')('Wednesday 30 June 2021')).toBe(Date.UTC(2021, 5, 30));
    expect(createTimeParser('EEEE dd MMMM yyyy')('Tuesday 30 June 2021')).toBeNull();
  });

  it.each(refusedByJava)("%s is refused in Java's words", (pattern, reason) => {
    expect(() => createTimeParser(pattern)).toThrow(reason);
  });

  it.each(['YYYY', 'ww', 'Q', 'MMMMM', 'yyyy-MM-dd e'])('%s is refused as not supported', (pattern) => {
    expect(() => createTimeParser(pattern)).toThrow(TimePatternError);
    expect(() => createTimeParser(pattern)).toThrow(expect.objectContaining({ unsupported: true }) as Error);
  });

  it('reads what it has printed, for any moment', () => {
    const parse = createTimeParser("yyyy-MM-dd'T'HH:mm:ss.SSSX");
    for (let i = 0; i < 1000; i++) {
      const ms = Math.floor(Math.random() * 8e12);
      expect(parse(new Date(ms).toISOString())).toBe(ms);
    }
  });
});
