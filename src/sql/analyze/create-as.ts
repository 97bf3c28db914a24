// CREATE STREAM | TABLE .. AS SELECT: the query, and the topic that it writes, whose formats come from the query's left source
// unless they are given.
import type { Column } from '../../core/data-type.js';
import type { StatementNode } from '../ast.js';
import { messages } from '../messages.js';
import type { FormatName, Statement } from '../plan.js';
import { invalidStatement } from '../sql-error.js';
import type { Context } from './context.js';
import { checkFormat, checkKeyTypes, checkWrapping, formatProblem } from './format-check.js';
import { readProperties } from './properties.js';
import { analyzeQuery } from './query.js';
import { timestampProperties } from './timestamp.js';

type CreateAs = StatementNode & { kind: 'create-as' };

export function analyzeCreateAs(node: CreateAs, context: Context): Statement & { kind: 'create-as' } {
  const properties = readProperties(node.properties, node.type, context.strict);
  if (node.query.limit !== null) throw invalidStatement(node.query.limit.place, messages.limitOnCreate(node.type));
  const { plan, schema, sources } = analyzeQuery(node.query, context, node.name.text);
  const produced = plan.resultKind === 'table' ? 'TABLE' : 'STREAM';
  if (produced !== node.type)
    throw invalidStatement(node.place, messages.resultKind(produced), `write CREATE ${produced}`);
  const [source] = sources;
  const keys = schema.keyColumns.map((i) => schema.columns[i]!);
  const values = schema.columns.filter((_, i) => !schema.keyColumns.includes(i));
  checkKeyTypes(keys, node.name.place);
  const choose = (
    part: 'Key' | 'Value',
    given: FormatName | null,
    inherited: FormatName,
    columns: readonly Column[],
  ): FormatName => {
    // KAFKA holds one plain value. Where nobody asked for it by name, what does not fit becomes JSON (strict: ksqlDB's error).
    if (given === null && !context.strict && formatProblem(inherited, columns, part) !== null) return 'JSON';
    checkFormat(part, given ?? inherited, columns, node.name.place);
    return given ?? inherited;
  };
  const valueFormat = choose('Value', properties.valueFormat, source!.properties.valueFormat, values);
  checkWrapping(properties.wrapSingle, valueFormat, values);
  return {
    kind: 'create-as',
    sourceKind: plan.resultKind,
    name: node.name.text,
    schema,
    properties: {
      topic: properties.topic ?? node.name.text,
      keyFormat: choose('Key', properties.keyFormat, source!.properties.keyFormat, keys),
      valueFormat,
      partitions: properties.partitions ?? source!.properties.partitions,
      ...timestampProperties(properties, schema, context),
    },
    retention: properties.retention,
    plan,
    orReplace: node.orReplace,
    ifNotExists: node.ifNotExists,
  };
}
