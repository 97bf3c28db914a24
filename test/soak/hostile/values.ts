// What is put where a name, a number or a text is expected: what means something to somebody, and sizes at bounds and beyond.
import type { Dice } from '../../support/harness/dice.js';

const names = [
  '',
  ' ',
  'a',
  'orders',
  'ORDERS',
  "'",
  '"',
  '`',
  ';',
  '--',
  '/*',
  '\u0000',
  '\uFFFF',
  '\u202e',
  'ä\u0308',
  '🦆',
  '../../etc/passwd',
  '..%2f..',
  '%',
  '%00',
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  'sqlite_stats',
  'sqlite_schema',
  'wt_log',
  'wt_outbox',
  'rowid',
  '_rowid_',
  'oid',
  'ROWTIME',
  'ROWPARTITION',
  'WINDOWSTART',
  'null',
  'undefined',
  'NaN',
  'true',
  '*',
  '${env:PATH}',
  '${file:/etc/passwd:root}',
  '<script>',
  '\r\nX: y',
];

const numbers = [
  '0',
  '-0',
  '-1',
  '1',
  '2',
  '255',
  '65536',
  '2147483647',
  '2147483648',
  '4294967296',
  '9007199254740991',
  '9007199254740993',
  '9223372036854775807',
  '9223372036854775808',
  '-9223372036854775809',
  '1e309',
  '-1e309',
  '1e-400',
  '0x10',
  '1_000',
  '١',
  '1.5',
  '.5',
  '5.',
  '00',
  '+1',
  ' 1',
  'Infinity',
];

const lengths = [1, 2, 63, 64, 65, 127, 128, 249, 250, 255, 256, 1_000, 4_096, 10_000, 65_536, 200_000];

export function anyName(dice: Dice): string {
  if (dice.chance(0.15)) return anyNumber(dice);
  if (dice.chance(0.15))
    return dice.pick(['a', 'é', '🦆', '%', '(', '[', '\\', '.', ',', ' ']).repeat(dice.pick(lengths));
  return dice.pick(names);
}

export function anyNumber(dice: Dice): string {
  if (dice.chance(0.1)) return dice.pick(['9', '-9', '1.', '0.']).concat('9'.repeat(dice.pick(lengths)));
  return dice.pick(numbers);
}

/** A JSON text: mostly small, now and then very deep, very wide or very long. */
export function anyJson(dice: Dice, depth = 0): string {
  if (dice.chance(0.03)) {
    const deep = dice.pick([10, 100, 1_000, 20_000]);
    return dice.chance(0.5) ? '['.repeat(deep) + ']'.repeat(deep) : '{"a":'.repeat(deep) + '1' + '}'.repeat(deep);
  }
  if (dice.chance(0.02)) return `[${'1,'.repeat(dice.pick([1_000, 100_000]))}1]`;
  if (depth > 3 || dice.chance(0.5))
    return dice.pick([
      () => JSON.stringify(anyName(dice)),
      () => anyNumber(dice),
      () => 'null',
      () => 'true',
      () => '{}',
      () => '[]',
    ])();
  const items = Array.from({ length: dice.between(0, 4) }, () => anyJson(dice, depth + 1));
  if (dice.chance(0.5)) return `[${items.join(',')}]`;
  return `{${items.map((item) => `${JSON.stringify(anyName(dice))}:${item}`).join(',')}}`;
}
