// Statements from the grammar, with nesting, widths and numbers at the bounds of what is taken and beyond.
import { allFunctions } from '../../../src/sql/functions/registry.js';
import type { Dice } from '../../support/harness/dice.js';
import { anyName, anyNumber } from './values.js';

const columns = ['id', 'name', 'amount', 'note', 'ROWTIME', 'nope'];
const operators = ['+', '-', '*', '/', '%', '=', '<>', '<', '>=', 'AND', 'OR', 'LIKE', '||', 'IS NOT', 'BETWEEN 1 AND'];
const sizes = [2, 10, 100, 1_000, 10_000, 50_000];
const functions = allFunctions().map(({ name }) => name);

export function anyStatement(dice: Dice): string {
  return dice.pick([pull, pull, push, define, define, wide, deep, insert, settings, many, broken])(dice);
}

function expression(dice: Dice, depth: number): string {
  if (depth <= 0 || dice.chance(0.25)) return atom(dice);
  const inner = (): string => expression(dice, depth - 1);
  return dice.pick([
    () => `(${inner()} ${dice.pick(operators)} ${inner()})`,
    () => `${dice.pick(functions)}(${Array.from({ length: dice.between(0, 4) }, inner).join(', ')})`,
    () => `CASE WHEN ${inner()} THEN ${inner()} ELSE ${inner()} END`,
    () => `CAST(${inner()} AS ${anyType(dice, 3)})`,
    () => `NOT ${inner()}`,
    () => `${inner()} IN (${inner()}, ${inner()})`,
    () => `ARRAY[${inner()}, ${inner()}][${inner()}]`,
    () => `MAP('a' := ${inner()})['a']`,
    () => `STRUCT(a := ${inner()})->a`,
  ])();
}

function atom(dice: Dice): string {
  return dice.pick([
    () => dice.pick(columns),
    () => anyNumber(dice),
    () => `'${anyName(dice).replaceAll("'", "''")}'`,
    () => 'NULL',
    () => 'TRUE',
    () => `\`${anyName(dice)}\``,
  ])();
}

function anyType(dice: Dice, depth: number): string {
  if (dice.chance(0.02)) {
    const nested = dice.pick(sizes);
    return 'ARRAY<'.repeat(nested) + 'INT' + '>'.repeat(nested);
  }
  if (depth > 0 && dice.chance(0.3))
    return dice.pick([
      `ARRAY<${anyType(dice, depth - 1)}>`,
      `MAP<STRING, ${anyType(dice, depth - 1)}>`,
      `STRUCT<a ${anyType(dice, depth - 1)}>`,
    ]);
  return dice.pick([
    'INT',
    'BIGINT',
    'DOUBLE',
    'STRING',
    'BOOLEAN',
    'BYTES',
    'TIMESTAMP',
    'DATE',
    'TIME',
    `DECIMAL(${anyNumber(dice)}, ${anyNumber(dice)})`,
    `VARCHAR(${anyNumber(dice)})`,
  ]);
}

function pull(dice: Dice): string {
  const where = dice.chance(0.8) ? ` WHERE ${expression(dice, 4)}` : '';
  const limit = dice.chance(0.3) ? ` LIMIT ${anyNumber(dice)}` : '';
  return `SELECT ${dice.chance(0.3) ? '*' : expression(dice, 4)} FROM orders${where}${limit};`;
}

function push(dice: Dice): string {
  return `SELECT ${expression(dice, 5)} AS x FROM orders WHERE ${expression(dice, 3)} EMIT CHANGES LIMIT ${dice.between(1, 3)};`;
}

function define(dice: Dice): string {
  const name = dice.chance(0.5) ? `h_${dice.between(0, 30)}` : `\`${anyName(dice)}\``;
  const properties = [
    `KAFKA_TOPIC='${dice.chance(0.7) ? `hostile_${dice.between(0, 30)}` : anyName(dice).replaceAll("'", "''")}'`,
    `VALUE_FORMAT='${dice.pick(['JSON', 'AVRO', 'PROTOBUF', 'DELIMITED', 'KAFKA', 'NONE', 'x'])}'`,
    `PARTITIONS=${dice.chance(0.5) ? 1 : anyNumber(dice)}`,
    ...(dice.chance(0.2) ? [`TIMESTAMP='${anyName(dice).replaceAll("'", "''")}'`] : []),
    ...(dice.chance(0.2) ? [`TIMESTAMP_FORMAT='${anyName(dice).replaceAll("'", "''")}'`] : []),
    ...(dice.chance(0.2) ? [`RETENTION_MS=${anyNumber(dice)}`] : []),
  ];
  if (dice.chance(0.4))
    return `CREATE TABLE ${name} WITH (${properties.join(', ')}) AS SELECT id, ${expression(dice, 4)} AS x FROM orders;`;
  const list = Array.from(
    { length: dice.between(1, 5) },
    (_, i) => `${dice.chance(0.8) ? `c${i}` : `\`${anyName(dice)}\``} ${anyType(dice, 3)}`,
  );
  const [kind, key] = dice.chance(0.5) ? ['TABLE', 'PRIMARY KEY'] : ['STREAM', 'KEY'];
  return `CREATE ${kind} ${name} (k ${anyType(dice, 1)} ${key}, ${list.join(', ')}) WITH (${properties.join(', ')});`;
}

function wide(dice: Dice): string {
  const count = dice.pick(sizes);
  const item = dice.pick([...columns, '1', "'x'", 'NULL']);
  return dice.pick([
    `SELECT ${Array.from({ length: count }, (_, i) => `${item} AS c${i}`).join(', ')} FROM orders;`,
    `SELECT id FROM orders WHERE id IN (${Array.from({ length: count }, (_, i) => i).join(', ')});`,
    `SELECT id FROM orders WHERE ${Array.from({ length: count }, (_, i) => `id = ${i}`).join(' OR ')};`,
    `CREATE STREAM wide_${dice.between(0, 5)} (${Array.from({ length: count }, (_, i) => `c${i} INT`).join(', ')}) WITH (KAFKA_TOPIC='wide', VALUE_FORMAT='JSON', PARTITIONS=1);`,
    `SELECT ${dice.pick(functions)}(${Array.from({ length: count }, () => item).join(', ')}) FROM orders;`,
  ]);
}

function deep(dice: Dice): string {
  const depth = dice.pick(sizes);
  const [open, close] = dice.pick([
    ['(', ')'],
    ['NOT ', ''],
    ['-', ''],
    ['REPLACE(', ", 'e', 'ee')"],
    ['CASE WHEN TRUE THEN ', ' END'],
    ['ARRAY[', ']'],
    ['CAST(', ' AS STRING)'],
    ['CONCAT(name, ', ')'],
    ['LPAD(', ", 10000000, 'x')"],
    ['1 + ', ''],
  ] as const);
  const emit = dice.chance(0.3) ? ' EMIT CHANGES LIMIT 1' : '';
  return `SELECT ${open.repeat(depth)}name${close.repeat(depth)} AS x FROM orders${emit};`;
}

function insert(dice: Dice): string {
  return `INSERT INTO ${dice.pick(['h_1', 'h_2', 'orders', anyName(dice)])} (k, c0) VALUES (${expression(dice, 2)}, ${expression(dice, 2)});`;
}

function settings(dice: Dice): string {
  return dice.pick([
    `SET '${anyName(dice).replaceAll("'", "''")}'='${anyName(dice).replaceAll("'", "''")}';`,
    `DEFINE ${anyName(dice)} = '${anyName(dice).replaceAll("'", "''")}';`,
    `SHOW ${dice.pick(['TABLES', 'STREAMS', 'QUERIES', 'TOPICS', 'PROPERTIES', 'FUNCTIONS', 'TYPES', 'VARIABLES', 'CONNECTORS'])}${dice.chance(0.3) ? ' EXTENDED' : ''};`,
    `DESCRIBE \`${anyName(dice)}\` EXTENDED;`,
    `EXPLAIN SELECT ${expression(dice, 4)} FROM orders EMIT CHANGES;`,
    `DROP TABLE IF EXISTS h_${dice.between(0, 30)} DELETE TOPIC;`,
    `DROP STREAM IF EXISTS h_${dice.between(0, 30)};`,
    `TERMINATE ${anyName(dice)};`,
    `PRINT '${anyName(dice).replaceAll("'", "''")}' FROM BEGINNING LIMIT ${anyNumber(dice)};`,
    `CREATE TYPE t_${dice.between(0, 5)} AS ${anyType(dice, 4)};`,
  ]);
}

function many(dice: Dice): string {
  const count = dice.pick(sizes);
  return dice.pick([
    ';'.repeat(count * 10),
    'SHOW TABLES;'.repeat(count),
    `${'\n'.repeat(count)}SHOW TABLES;`,
    `/*${'*'.repeat(count)}*/`,
    "'".repeat(count),
  ]);
}

function broken(dice: Dice): string {
  const whole = pull(dice);
  const at = dice.between(0, whole.length);
  return `${whole.slice(0, at)}${anyName(dice)}${whole.slice(at + dice.between(0, 5))}`;
}
