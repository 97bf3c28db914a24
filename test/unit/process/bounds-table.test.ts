// What the README says of bounds and options is what the source has.
import { readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { environmentName, optionDefs } from '../../../src/config.js';
import { bounds } from '../../../src/core/bounds.js';
import { errorCodes } from '../../../src/core/errors.js';

const readme = new URL('../../../README.md', import.meta.url);
const cell = (text: string) => text.replaceAll('|', '\\|');
const table = (name: string, head: readonly string[], rows: readonly (readonly string[])[]) =>
  [
    `<!-- ${name}:begin -->`,
    `| ${head.join(' | ')} |`,
    `|${'---|'.repeat(head.length)}`,
    ...rows.map((row) => `| ${row.map(cell).join(' | ')} |`),
    `<!-- ${name}:end -->`,
  ].join('\n');

/** Bytes in the unit that people use, other numbers with their thousands apart. */
function printed(key: string, value: string | number | boolean | readonly string[] | undefined): string {
  if (value === undefined || value === '' || (Array.isArray(value) && value.length === 0)) return '';
  if (typeof value !== 'number') return `\`${value.toString()}\``;
  const mb = 1024 * 1024;
  if (/bytes|size/i.test(key) && value >= mb && value % mb === 0) return `${value / mb} MB`;
  return value < 10_000 ? String(value) : value.toLocaleString('en-US');
}

const tables: Readonly<Record<string, string>> = {
  options: table(
    'options',
    ['option', 'default', 'what it is'],
    Object.entries(optionDefs).map(([key, { doc, default: value }]) => [`\`${key}\``, printed(key, value), doc]),
  ),
  bounds: table(
    'bounds',
    ['at most', 'of what', 'code'],
    Object.entries(bounds).map(([key, { value, what, code }]) => [printed(key, value), what, `\`${code}\``]),
  ),
};

it.each(Object.keys(tables))('the README tells all %s as the source does (REWRITE=1 updates it)', (name) => {
  const written = new RegExp(`<!-- ${name}:begin -->[\\s\\S]*<!-- ${name}:end -->`);
  const text = readFileSync(readme, 'utf8');
  if (process.env['REWRITE'] === '1')
    writeFileSync(
      readme,
      text.replace(written, () => tables[name]!),
    );
  expect(written.exec(readFileSync(readme, 'utf8'))?.[0]).toBe(tables[name]);
});

it('each bound is refused by a code that is not a bug', () => {
  for (const [name, { code, value, what }] of Object.entries(bounds)) {
    expect([name, code in errorCodes, String(code) === 'internal', what.length > 9]).toEqual([name, true, false, true]);
    expect([name, Number.isSafeInteger(value) && value > 0]).toEqual([name, true]);
  }
});

it('each option has a variable of its own', () => {
  const keys = Object.keys(optionDefs);
  expect(new Set(keys.map(environmentName)).size).toBe(keys.length);
});
