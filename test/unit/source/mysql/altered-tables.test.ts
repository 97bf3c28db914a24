// The proof that rows are the same behind a statement but for columns that came empty or went: it holds where it may, and what it lets
// pass is what the server does to rows, by a small model of one.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { carriedColumns, carryRow } from '../../../../src/core/schema-change.js';
import type { RowSchema } from '../../../../src/core/data-type.js';
import type { RecordSchema } from '../../../../src/source/source-connector.js';
import {
  holdsAll,
  parseAltered,
  rowsAreCarried,
  together,
  type AlteredTable,
} from '../../../../src/source/mysql/altered-tables.js';
import { dataTypeOf, type ColumnForm, type TableColumn } from '../../../../src/source/mysql/column-form.js';
import { parsePosition, printPosition } from '../../../../src/source/mysql/position.js';
import { classify } from '../../../../src/source/mysql/statement.js';

const integer = (bytes: 1 | 2 | 4 | 8, unsigned = false): ColumnForm => ({ kind: 'integer', bytes, unsigned });
const column = (name: string, form: ColumnForm = integer(4), nullable = true): TableColumn => ({
  name,
  nullable,
  form,
});
const varchar = (chars: number, charset = 'utf8mb4'): ColumnForm => ({
  kind: 'text',
  name: `varchar(${chars})`,
  charset,
});
const schemaOf = (columns: readonly TableColumn[]): RowSchema => ({
  columns: columns.map(({ name, form }) => ({ name, type: dataTypeOf(form)! })),
  keyColumns: [0],
});
const recordsOf = (columns: readonly TableColumn[]): RecordSchema => ({
  ...schemaOf(columns),
  own: true,
  origins: columns.map((_, i) => ({ column: i, making: 'keep', keepsNull: true })),
  nameOf: (name) => name,
});
const id = column('id', integer(4), false);

/** As the statement is noted when the stream had the table's columns like this. */
function noted(sql: string, before: readonly TableColumn[]): AlteredTable | undefined {
  const statement = classify(`ALTER TABLE t ${sql}`);
  const effect = statement.kind === 'table-change' ? statement.effects[0]! : undefined;
  if (effect?.does !== 'columns') return undefined;
  const modified = before.filter(({ name }) => effect.columns.modified.includes(name));
  return { ...effect.columns, table: 'd.t', cause: 'ALTER', before: modified };
}

const proved = (
  altered: AlteredTable,
  before: readonly TableColumn[],
  now: readonly TableColumn[],
  generated: boolean | 'unknown' = false,
) =>
  rowsAreCarried(altered, schemaOf(before), {
    records: recordsOf(now),
    recordsBefore: recordsOf(now),
    columns: now,
    generated: generated === 'unknown' ? undefined : generated,
  });

describe('a statement that changes columns alone', () => {
  it.each([
    'ADD COLUMN c INT',
    'ADD c VARCHAR(9) CHARACTER SET latin1 COLLATE latin1_bin NULL DEFAULT NULL COMMENT "it\'s, so" AFTER `a b`',
    "ADD `index` ENUM('a','b') FIRST, ADD INDEX (`index`), ALGORITHM=INSTANT",
    'ADD c TIMESTAMP(3) NULL',
    'DROP b',
    'DROP COLUMN `drop`, DROP c RESTRICT',
    'MODIFY b BIGINT UNSIGNED NOT NULL DEFAULT -1.5 COMMENT ""',
    'CHANGE COLUMN b b DECIMAL(12,2)',
  ])('%s', (sql) => {
    expect(noted(sql, [])).toBeDefined();
  });

  it.each([
    'ADD COLUMN c INT NOT NULL',
    'ADD COLUMN c INT DEFAULT 7',
    'ADD COLUMN c INT AS (a + 1)',
    'ADD COLUMN c INT GENERATED ALWAYS AS (a) STORED',
    'ADD COLUMN c TIMESTAMP',
    'ADD COLUMN c SERIAL',
    'ADD COLUMN c INT AUTO_INCREMENT UNIQUE',
    'ADD COLUMN c INT PRIMARY KEY',
    'ADD COLUMN c INT KEY',
    'ADD COLUMN (c INT, d INT)',
    'ADD COLUMN c nothing_known',
    'ADD COLUMN c INT, ORDER BY a',
    'ADD COLUMN IF NOT EXISTS c INT',
    'DROP PRIMARY KEY',
    'DROP PARTITION p0',
    'DROP COLUMN c, ADD PRIMARY KEY (a)',
    'MODIFY id INT AUTO_INCREMENT',
    'MODIFY b INT AS (a)',
    'CHANGE a b INT',
    'RENAME COLUMN a TO b',
    'CONVERT TO CHARACTER SET utf8mb4',
  ])('%s may do more', (sql) => {
    expect(noted(sql, [])).toBeUndefined();
  });

  it('one that the two servers read otherwise may do more', () => {
    const effects = classify('ALTER TABLE t ADD c INT /*M! DEFAULT 5 */');
    expect(effects).toMatchObject({ effects: [{ does: 'change' }, { does: 'columns' }] });
  });
});

describe('the proof that rows are carried over', () => {
  const a = column('a');
  const b = column('b', varchar(20));
  it.each([
    ['ADD c INT', [id, a], [id, column('c'), a], true],
    ['ADD c INT', [id, a], [id, a], false],
    ['ADD c INT', [id, a], [id, a, column('c', integer(4), false)], false],
    ['ADD c INT', [id, a], [id, a, column('c'), column('hidden')], false],
    ['ADD a INT', [id, a], [id, a], false],
    ['DROP a', [id, a, b], [id, b], true],
    ['DROP a', [id, a, b], [id, a, b], false],
    ['DROP a', [id, a, b], [id], false],
    ['DROP a, ADD a INT', [id, a], [id, a], false],
    ['DROP a', [id, a, b], [id, column('b', integer(4))], false],
    ['DROP id', [id, a], [column('a', integer(4), false)], false],
    ['MODIFY a BIGINT', [id, a], [id, column('a', integer(8))], true],
    ['MODIFY a BIGINT', [id, a], [column('id', integer(8), false), column('a', integer(8))], false],
    ['MODIFY b VARCHAR(30)', [id, b], [column('b', varchar(30)), id].toReversed(), true],
    ['MODIFY b VARCHAR(9)', [id, b], [id, column('b', varchar(9))], false],
    ['MODIFY b VARCHAR(30) CHARSET latin1', [id, b], [id, column('b', varchar(30, 'latin1'))], false],
    ['MODIFY b VARCHAR(20) NOT NULL', [id, b], [id, column('b', varchar(20), false)], false],
  ] as const)('%s', (sql, before, now, holds) => {
    expect(proved(noted(sql, before)!, before, now)).toBe(holds);
  });

  it('is none where a column is computed of one that was modified, or nobody knows', () => {
    const altered = noted('MODIFY a BIGINT', [id, a])!;
    expect(proved(altered, [id, a], [id, column('a', integer(8))], true)).toBe(false);
    expect(proved(altered, [id, a], [id, column('a', integer(8))], 'unknown')).toBe(false);
  });

  it('of several statements: what is proved is what the server has made of the rows', () => {
    const names = fc.constantFrom('a', 'b', 'c');
    const step = fc.oneof(
      names.map((name) => ({ sql: `ADD ${name} INT`, name, does: 'add' as const })),
      names.map((name) => ({ sql: `DROP ${name}`, name, does: 'drop' as const })),
      names.map((name) => ({ sql: `MODIFY ${name} TINYINT`, name, does: 'tiny' as const })),
      names.map((name) => ({ sql: `MODIFY ${name} INT`, name, does: 'int' as const })),
    );
    let proofs = 0;
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 5 }), (steps) => {
        const before = [id, column('a'), column('b')];
        const row: Record<string, number | null> = { id: 1, a: 1000, b: 2000 };
        let columns: readonly TableColumn[] = before;
        let altered: AlteredTable | undefined;
        for (const [i, { sql, name, does }] of steps.entries()) {
          const isThere = columns.some((each) => each.name === name);
          if (isThere === (does === 'add')) continue;
          // Only until the first statement the stream has seen the columns.
          const next = noted(sql, i === 0 ? columns : [])!;
          altered = altered === undefined ? next : together(altered, next);
          if (altered === undefined) return;
          if (does === 'add') {
            columns = [...columns, column(name)];
            row[name] = null;
          } else if (does === 'drop') {
            columns = columns.filter((each) => each.name !== name);
            delete row[name];
          } else {
            columns = columns.map((each) =>
              each.name === name ? column(name, integer(does === 'int' ? 4 : 1)) : each,
            );
            if (does === 'tiny' && row[name] !== null) row[name] = Math.min(127, row[name]!);
          }
        }
        if (altered === undefined || !proved(altered, before, columns)) return;
        proofs++;
        const carried = carriedColumns(schemaOf(before).columns, schemaOf(columns).columns);
        expect(carryRow([1, 1000, 2000], carried)).toEqual(columns.map(({ name }) => row[name]));
      }),
      { seed: 8, numRuns: 3000 },
    );
    expect(proofs).toBeGreaterThan(300);
  });
});

describe('a column that holds all values of another', () => {
  it.each([
    [integer(4), integer(8), true],
    [integer(4, true), integer(8), true],
    [integer(4, true), integer(4), false],
    [integer(4), integer(8, true), false],
    [{ kind: 'decimal', precision: 10, scale: 2 }, { kind: 'decimal', precision: 12, scale: 2 }, true],
    [{ kind: 'decimal', precision: 10, scale: 2 }, { kind: 'decimal', precision: 12, scale: 3 }, false],
    [varchar(20, 'utf8mb3'), varchar(20, 'utf8mb4'), true],
    [varchar(20, 'utf8mb4'), varchar(20, 'utf8mb3'), false],
    [{ kind: 'text', name: 'text', charset: 'latin1' }, { kind: 'text', name: 'longtext', charset: 'latin1' }, true],
    [{ kind: 'text', name: 'text', charset: 'latin1' }, { kind: 'text', name: 'tinytext', charset: 'latin1' }, false],
    [{ kind: 'enum', charset: 'utf8mb4' }, { kind: 'enum', charset: 'utf8mb4' }, false],
    [{ kind: 'datetime', digits: 6 }, { kind: 'datetime', digits: 0 }, false],
    [{ kind: 'bytes', name: 'varbinary(4)', padTo: 0 }, { kind: 'bytes', name: 'varbinary(9)', padTo: 0 }, true],
    [{ kind: 'bytes', name: 'binary(4)', padTo: 4 }, { kind: 'bytes', name: 'binary(9)', padTo: 9 }, false],
  ] as const)('%j in %j: %s', (from, to, holds) => {
    expect(holdsAll(column('x', from), column('x', to))).toBe(holds);
  });
});

it('altered tables are a part of the position', () => {
  const stream = { kind: 'file' as const, at: { file: 'bin.000001', offset: 4 } };
  const altered = [{ ...noted('DROP a, MODIFY b INT', [column('b')])!, carried: 'topic' }];
  const text = printPosition({ stream, snapshot: undefined, altered });
  expect(parsePosition(text)).toMatchObject({ stream, altered });
  expect(parseAltered([{ ...altered[0], before: [{}] }])).toBeUndefined();
});
