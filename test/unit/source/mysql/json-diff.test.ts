// Changes to binary JSON, as bytes: the document behind them is printed as the server prints it.
import { describe, expect, it } from 'vitest';
import { applyJsonDiffs } from '../../../../src/source/mysql/json-diff.js';
import { writeBinaryJson } from '../../../../src/source/mysql/json-binary.js';
import { ValueCollector } from '../../../../src/schema/formats/collect-values.js';

const int = (value: number) => Buffer.from([5, value, 0]);
const text = (value: string) => Buffer.concat([Buffer.from([12, value.length]), Buffer.from(value)]);
/** A small array of small numbers. */
const list = (...values: readonly number[]) => {
  const bytes = Buffer.alloc(4 + 3 * values.length);
  bytes.writeUInt16LE(values.length, 0);
  bytes.writeUInt16LE(bytes.length, 2);
  values.forEach((value, i) => bytes.set([5, value, 0], 4 + 3 * i));
  return Buffer.concat([Buffer.from([2]), bytes]);
};
const diff = (does: number, path: string, value?: Buffer) =>
  Buffer.concat([
    Buffer.from([does, path.length]),
    Buffer.from(path),
    ...(value ? [Buffer.from([value.length]), value] : []),
  ]);
const print = (document: Buffer) => {
  const values = new ValueCollector();
  writeBinaryJson(document, 0, document.length, values, 'd.t.c');
  return values.take()[0];
};

describe('changes of a JSON document', () => {
  it('replace, insert and remove parts of it, one behind the other', () => {
    const changed = applyJsonDiffs(
      list(1, 2, 3),
      Buffer.concat([
        diff(0, '$[1]', text('two')),
        diff(1, '$[0]', list(9)),
        diff(1, '$[99]', int(4)),
        diff(0, '$[0]', Buffer.from([0, 0, 0, 4, 0])),
        diff(1, '$[0].long', int(7)),
        diff(1, '$[0].b', text('x')),
        diff(1, '$[0]."a b"', list()),
        diff(1, '$[0]."a b"[0]', int(5)),
        diff(2, '$[1]'),
      ]),
    );
    expect(print(changed)).toBe('[{"b": "x", "a b": [5], "long": 7}, "two", 3, 4]');
    expect(print(applyJsonDiffs(list(1), diff(0, '$', int(8))))).toBe('8');
    expect(print(applyJsonDiffs(list(1), Buffer.alloc(0)))).toBe('[1]');
  });

  it.each([
    ['a path that leads nowhere', diff(0, '$[7].a', int(1))],
    ['a path that is none', diff(0, 'x', int(1))],
    ['a path into a number', diff(1, '$[0].a', int(1))],
    ['an unknown change', diff(7, '$[0]', int(1))],
    ['an end within a change', diff(0, '$[0]', int(1)).subarray(0, 7)],
  ])('%s is told', (_, diffs) => {
    expect(() => applyJsonDiffs(list(1, 2), diffs)).toThrow(expect.objectContaining({ code: 'corrupt-binlog' }));
  });
});
