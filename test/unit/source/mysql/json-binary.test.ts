// Binary JSON as text; the servers' own texts are compared in test/e2e/mysql-types.test.ts.
import { expect, it } from 'vitest';
import { ValueCollector } from '../../../../src/schema/formats/collect-values.js';
import { writeBinaryJson } from '../../../../src/source/mysql/json-binary.js';

it('numbers find room, however many there are', () => {
  const numbers = Array.from({ length: 20_000 }, (_, i) => (i % 2 === 0 ? -1 : 1) * (1_000_000 + i * 7));
  // A large array, whose entries hold numbers of four bytes themselves.
  const document = Buffer.alloc(9 + 5 * numbers.length);
  document[0] = 3;
  document.writeUInt32LE(numbers.length, 1);
  document.writeUInt32LE(document.length - 1, 5);
  for (const [i, value] of numbers.entries()) {
    document[9 + 5 * i] = 7;
    document.writeInt32LE(value, 10 + 5 * i);
  }
  const values = new ValueCollector();
  writeBinaryJson(document, 0, document.length, values, 'd.t.c');
  expect(values.take()[0]).toBe(`[${numbers.join(', ')}]`);
});
