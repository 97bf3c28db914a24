// CREATE STREAM | TABLE over a topic: columns, key, formats.
import { bounds } from '../../core/bounds.js';
import type { RowSchema } from '../../core/data-type.js';
import type { ColumnDef, StatementNode } from '../ast.js';
import { messages } from '../messages.js';
import type { FormatName, Statement } from '../plan.js';
import { invalidStatement, tooLarge, unsupported } from '../sql-error.js';
import type { Context } from './context.js';
import { isOver } from './effort.js';
import { checkFormat, checkKeyTypes, checkWrapping } from './format-check.js';
import { columnOrder, reorder } from './key-order.js';
import { readProperties } from './properties.js';
import { isPseudoColumn } from './scope.js';
import { timestampProperties } from './timestamp.js';
import { dataType } from './types.js';

type CreateSource = StatementNode & { kind: 'create-source' };

export function analyzeCreateSource(node: CreateSource, context: Context): Statement {
  const properties = readProperties(node.properties, node.type, context.strict);
  if (node.columns.length === 0) {
    throw unsupported(
      node.name.place,
      'a definition without columns',
      'list the columns: CREATE TABLE t (id INT PRIMARY KEY, ...)',
    );
  }
  refuseReplacing(node, context);
  const schema = schemaOf(node, context);
  const keyFormat = properties.keyFormat ?? context.options.defaults.keyFormat;
  const valueFormat = properties.valueFormat ?? defaultValueFormat(node, context);
  const keys = schema.keyColumns.map((i) => schema.columns[i]!);
  const values = schema.columns.filter((_, i) => !schema.keyColumns.includes(i));
  checkKeyTypes(keys, node.name.place);
  checkFormat('Key', keyFormat, keys, node.name.place);
  checkFormat('Value', valueFormat, values, node.name.place);
  checkWrapping(properties.wrapSingle, valueFormat, values);
  return {
    kind: 'create-source',
    sourceKind: node.type === 'STREAM' ? 'stream' : 'table',
    name: node.name.text,
    schema,
    properties: {
      topic: properties.topic ?? node.name.text,
      keyFormat,
      valueFormat,
      partitions: properties.partitions,
      ...timestampProperties(properties, schema, context),
    },
    retention: properties.retention,
    orReplace: node.orReplace,
    ifNotExists: node.ifNotExists,
    readOnly: node.readOnly,
  };
}

/** A read-only source is never replaced, nor anything by one. */
function refuseReplacing(node: CreateSource, context: Context): void {
  if (!node.orReplace) return;
  if (!node.readOnly && context.findSource(node.name.text)?.readOnly !== true) return;
  throw invalidStatement(node.name.place, messages.replaceReadOnly(node.type.toLowerCase(), node.name.text));
}

function defaultValueFormat(node: CreateSource, context: Context): FormatName {
  const format = context.options.defaults.valueFormat;
  if (format !== null) return format;
  throw invalidStatement(
    node.name.place,
    "Statement is missing the 'VALUE_FORMAT' property from the WITH clause. Either provide one or set a default via the 'ksql.persistence.default.format.value' config.",
  );
}

function schemaOf(node: CreateSource, context: Context): RowSchema {
  const keyColumns: number[] = [];
  const { value: columnsMax } = bounds.sqlColumns;
  if (isOver('sqlColumns', node.columns.length)) {
    throw tooLarge(node.columns[columnsMax]!.place, `the definition has more than ${columnsMax} columns`);
  }
  const names = new Set<string>();
  for (const [i, column] of node.columns.entries()) {
    checkColumn(column, node);
    const key = context.nameKey(column.name.text);
    if (names.has(key)) throw invalidStatement(column.place, `Duplicate column names: \`${column.name.text}\``);
    names.add(key);
    if (column.role === 'key' || column.role === 'primary-key') keyColumns.push(i);
  }
  if (node.type === 'TABLE' && keyColumns.length === 0)
    throw invalidStatement(node.name.place, messages.tableWithoutKey);
  const columns = node.columns.map((column) => ({ name: column.name.text, type: dataType(column.type) }));
  const schema = { columns, keyColumns };
  return reorder(schema, columnOrder(schema, context.strict));
}

function checkColumn(column: ColumnDef, node: CreateSource): void {
  const name = column.name.text;
  if (column.role === 'key' && node.type === 'TABLE') {
    throw invalidStatement(column.place, messages.keyOfTable(name, column.place), 'write PRIMARY KEY');
  }
  if (column.role === 'primary-key' && node.type === 'STREAM') {
    throw invalidStatement(column.place, messages.primaryKeyOfStream(name, column.place), 'write KEY');
  }
  if (column.role === 'headers' || column.role === 'header') throw unsupported(column.place, 'a HEADERS column');
  if (isPseudoColumn(name)) {
    throw invalidStatement(
      column.place,
      `'${name.toUpperCase()}' is a reserved column name.`,
      'give the column another name',
    );
  }
}
