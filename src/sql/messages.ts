// Wordings that ksqlDB's clients and published cases match, in one place: each is a fact of the interface, so its capitals and
// quotes are ksqlDB's. Where nothing outside depends on the text, the error is worded where it is thrown.
import { printType, type DataType } from '../core/data-type.js';
import type { Place } from './sql-error.js';

const at = (place: Place): string => `Line: ${place.line}, Col: ${place.column}`;
const list = (items: readonly string[], word: string): string =>
  items.length < 2 ? items.join('') : `${items.slice(0, -1).join(', ')} ${word} ${items.at(-1)!}`;
const columnText = (name: string, type: DataType, key = ''): string => `\`${name}\` ${printType(type)}${key}`;

export const messages = {
  // --- parsing
  syntaxError: (place: Place, more: string) => `line ${place.line}:${place.column}: Syntax Error\n${more}`,
  missing: (expected: string, found: string) => `missing ${expected} at '${found}'`,
  expecting: (expected: readonly string[]) => `Expecting {${expected.join(', ')}}`,
  reservedWord: (word: string, place: Place) =>
    `line ${place.line}:${place.column}: Syntax Error\nSyntax error at or near '${word}' at line ${place.line}:${place.column}\n'${word}' is a reserved keyword and it can't be used as an identifier`,
  unknownStatement: (word: string) => `Unknown statement '${word}'`,
  numericLiteral: (text: string) => `Invalid numeric literal: ${text}`,

  // --- names
  unknownColumn: (clause: string, column: string, place: Place) =>
    `${at(place)}: ${clause} column '${column}' cannot be resolved.`,
  ambiguousColumn: (column: string, candidates: readonly string[], place: Place) =>
    `${at(place)}: Column '${column}' is ambiguous. Could be ${list(candidates, 'or')}.`,
  unknownAlias: (name: string) => `'${name}' is not a valid stream/table name or alias.`,
  missingSource: (name: string) => `${name} does not exist.`,
  unknownDropTarget: (word: string, name: string) => `${word} ${name} does not exist.`,
  wrongDropTarget: (name: string, kind: string) =>
    `Incompatible data source type is ${kind}, but statement was DROP ${kind === 'TABLE' ? 'STREAM' : 'TABLE'}: ${name}`,
  alreadyExists: (word: string, name: string, kind: string) =>
    `Cannot add ${word} '${name}': A ${kind} with the same name already exists`,
  reservedColumn: (name: string) =>
    `\`${name}\` is a reserved column name. You cannot use it as an alias for a column.`,
  reservedInSelect: (name: string) => `Reserved column name in select: \`${name}\`. Please remove or alias the column.`,
  duplicateColumns: (name: string, type: DataType) =>
    `Duplicate value columns found in schema: ${columnText(name, type)}`,

  // --- WITH
  noTimestampColumn: (name: string) =>
    `The TIMESTAMP column set in the WITH clause does not exist in the schema: '${name}'`,
  timestampWithoutFormat: 'A String timestamp field has been specified without also specifying the timestamp_format',
  formatOfNoText:
    "'TIMESTAMP_FORMAT' set in the WITH clause can only be used when the timestamp column is of type STRING.",
  noTimestampType: (name: string) =>
    `Timestamp column, \`${name}\`, should be LONG(INT64), TIMESTAMP, or a String with a timestamp_format specified.`,
  badTimestampFormat: (reason: string) => `Invalid datatime format for config:TIMESTAMP_FORMAT, reason:${reason}`,

  tableRetention:
    'Invalid config variable in the WITH clause: RETENTION_MS. Non-windowed tables do not support retention.',
  tableRetentionBytes:
    'Invalid config variable in the WITH clause: RETENTION_BYTES. Non-windowed tables do not support retention.',
  cleanupPolicy:
    "Invalid config variable in the WITH clause: CLEANUP_POLICY.\nThe CLEANUP_POLICY config is automatically inferred based on the type of source (STREAM or TABLE).\nUsers can't set the CLEANUP_POLICY config manually.",

  // --- expressions
  cannotCompare: (a: string, aType: string, b: string, bType: string, op: string, whole: string) =>
    `Cannot compare ${a} (${aType}) to ${b} (${bType}) with ${op}.\nStatement: ${whole}`,
  arithmeticOnNull: (expression: string, a: string, b: string) =>
    `Error processing expression: ${expression}. Arithmetic on types ${a} and ${b} are not supported.`,
  arithmetic: (expression: string, a: string, b: string) =>
    `Error processing expression: ${expression}. Unsupported arithmetic types. ${a} ${b}`,
  notBoolean: (clause: string, expression: string, type: string) =>
    `Type error in ${clause} expression: Should evaluate to boolean but is ${expression} (${type}) instead.`,
  clauseError: (clause: string, message: string) => `Error in ${clause} expression: ${message}`,
  castUnsupported: (from: string, to: string) => `Cast of ${from} to ${to} is not supported`,
  unknownFunction: (name: string) => `Can't find any functions with the name '${name}'`,
  ambiguousNulls: (name: string, types: readonly string[]) =>
    `Function '${name}' cannot be resolved due to ambiguous method parameters (${types.join(', ')}).`,
  noOverload: (name: string, types: readonly string[], signatures: readonly string[]) =>
    `Function '${name}' does not accept parameters (${types.join(', ')}).\nValid alternatives are:\n${signatures.join('\n')}`,
  likeNotText: 'Like condition must be between strings',
  likeColumn: (type: string) => `The column type for Like condition must be VARCHAR. The column type is ${type}`,
  caseAllNull: 'Invalid Case expression. All case branches have NULL type',
  nullType: "Can't infer a type of null. Please explicitly cast it to a required type, e.g. CAST(null AS VARCHAR).",
  emptyArray:
    'Array constructor cannot be empty. Please supply at least one element (see https://github.com/confluentinc/ksql/issues/4239).',
  nullArray:
    'Cannot construct an array with all NULL elements (see https://github.com/confluentinc/ksql/issues/4239). As a workaround, you may cast a NULL value to the desired type.',
  nullMap: 'Cannot construct a map with all NULL values',
  duplicateFields: 'Duplicate field names found in STRUCT',
  inOperator: (a: string, b: string, expression: string) =>
    `Invalid Predicate: operator does not exist: ${a} = ${b} (${expression})\nHint: You might need to add explicit type casts.`,
  inSyntax: (type: string, text: string) => `Invalid Predicate: invalid input syntax for type ${type}: "${text}".`,

  // --- definitions
  keyOfTable: (name: string, place: Place) =>
    `${at(place)}: Column \`${name}\` is a 'KEY' column: please use 'PRIMARY KEY' for tables.`,
  primaryKeyOfStream: (name: string, place: Place) =>
    `${at(place)}: Column \`${name}\` is a 'PRIMARY KEY' column: please use 'KEY' for streams.`,
  tableWithoutKey: 'Tables require a PRIMARY KEY. Please define the PRIMARY KEY.',
  mapKey: (name: string, type: DataType) =>
    `Map keys, including types that contain maps, are not supported as they may lead to unexpected behavior due to inconsistent serialization. Key column name: \`${name}\`. Column type: ${printType(type)}. See https://github.com/confluentinc/ksql/issues/6621 for more.`,
  bothFormats: (key: string) =>
    `Cannot supply both '${key}' and 'FORMAT' properties, as 'FORMAT' sets both key and value formats. Either use just 'FORMAT', or use 'KEY_FORMAT' and 'VALUE_FORMAT'.`,
  unknownFormat: (name: string) => `Unknown format: ${name}`,
  formatType: (format: string, type: string) => `The '${format}' format does not support type '${type}'`,
  formatSingle: (format: string, columns: readonly { name: string; type: DataType }[], key: string) =>
    `The '${format}' format only supports a single field. Got: [${columns.map((c) => columnText(c.name, c.type, key)).join(', ')}]`,
  formatSchema: (
    part: 'Key' | 'Value',
    format: string,
    columns: readonly { name: string; type: DataType }[],
    reason: string,
  ) =>
    `${part} format does not support schema.\nformat: ${format}\nschema: Persistence{columns=[${columns
      .map((c) => columnText(c.name, c.type, part === 'Key' ? ' KEY' : ''))
      .join(', ')}], features=[]}\nreason: ${reason}`,
  wrapUnsupported: (format: string) => `Format '${format}' does not support 'WRAP_SINGLE_VALUE' set to 'true'.`,
  wrapSingle: "'WRAP_SINGLE_VALUE' is only valid for single-field value schemas",
  replaceReadOnly: (word: string, name: string) =>
    `Cannot add ${word} '${name}': CREATE OR REPLACE is not supported on source ${word}s.`,

  // --- queries
  keyMissing: (sink: string, what: string, columns: readonly string[], joined = 'and') =>
    `Key missing from projection (ie, SELECT). See https://cnfl.io/2LV7ouS.\nThe query used to build \`${sink}\` must include the ${what}${columns.length > 1 && joined === 'and' ? 's' : ''} ${list(columns, joined)} in its projection (eg, SELECT ${columns[0]!}${columns.length > 1 && joined === 'and' ? `, ${columns.slice(1).join(', ')}` : ''}...).`,
  foreignKeyMissing: (table: string, columns: readonly string[]) =>
    `Primary key column missing in projection. For foreign-key table-table joins, the projection must include all primary key columns from the left input table (\`${table}\`). Missing column${columns.length > 1 ? 's' : ''}: ${columns.map((c) => `\`${c}\``).join(', ')}.`,
  keyTwice: (key: string, aliases: readonly string[]) =>
    `The projection contains a key column (\`${key}\`) more than once, aliased as: ${list(aliases, 'and')}.`,
  groupKeyTwice: (names: readonly string[]) =>
    `The projection contains a key column more than once: ${list(
      names.map((name) => `\`${name}\``),
      'and',
    )}.`,
  noValueColumns: 'The projection contains no value columns.',
  nonAggregate: (expressions: readonly string[]) =>
    `Non-aggregate SELECT expression(s) not part of GROUP BY: ${expressions.join(', ')}\nEither add the column(s) to the GROUP BY or remove them from the SELECT.`,
  nonAggregateHaving: (expressions: readonly string[]) =>
    `Non-aggregate HAVING expression not part of GROUP BY: ${expressions.join(', ')}`,
  groupWithoutAggregate: 'GROUP BY requires aggregate functions in either the SELECT or HAVING clause.',
  aggregateWithoutGroup: (names: readonly string[]) =>
    `Use of aggregate function${names.length > 1 ? 's' : ''} ${names.join(', ')} requires a GROUP BY clause. Either remove the aggregate function${names.length > 1 ? 's' : ''} or add a GROUP BY clause.`,
  aggregateInGroup: (name: string) =>
    `GROUP BY does not support aggregate functions: ${name} is an aggregate function.`,
  nestedAggregate: (expression: string) => `Aggregate functions can not be nested: ${expression}`,
  duplicateGroup: (expression: string) => `Duplicate GROUP BY expression: ${expression}`,
  havingWithoutGroup: 'HAVING requires a GROUP BY clause.',
  windowWithoutGroup: 'WINDOW clause requires a GROUP BY clause.',
  resultKind: (produced: 'TABLE' | 'STREAM') =>
    `Invalid result type. Your SELECT query produces a ${produced}. Please use CREATE ${produced} AS SELECT statement instead.`,
  limitOnCreate: (word: string) => `CREATE ${word} AS SELECT statements don't support LIMIT clause.`,
  emitFinal: 'EMIT FINAL is only supported for windowed aggregations.',
  selfJoin: (name: string) => `Can not join '${name}' to '${name}': self joins are not yet supported.`,
  joinConditions: (expression: string) =>
    `Invalid join condition: joins on multiple conditions are not yet supported. Got ${expression}.`,
  joinComparison: (expression: string, join: string) =>
    `Invalid comparison expression '${expression}' in join '${join}'. Each side of the join comparision must contain references from exactly one source.`,
  joinTypes: (a: string, aType: string, b: string, bType: string) =>
    `Invalid join condition: types don't match. Got ${a}{${aType}} = ${b}{${bType}}.`,
  joinPrimaryKey: (a: string, b: string) =>
    `Invalid join condition: table-table joins require to join on the primary key of the right input table. Got ${a} = ${b}.`,
  tableStreamJoin: (left: string, type: string, right: string) =>
    `Invalid join order: table-stream joins are not supported; only stream-table joins. Got ${left} ${type} ${right}.`,

  // --- pull queries
  pullClause: (clause: string) =>
    `Pull queries don't support ${clause} clauses. See https://cnfl.io/queries for more info.\nAdd EMIT CHANGES if you intended to issue a push query.`,
  pullLimit:
    "Pull queries don't support negative integers in the LIMIT clause. See https://cnfl.io/queries for more info.",
  notQueryable: (name: string) =>
    `The \`${name}\` table isn't queryable. To derive a queryable table, you can do 'CREATE TABLE QUERYABLE_${name} AS SELECT * FROM ${name}'. See https://cnfl.io/queries for more info.`,
  pullNullKey: (expression: string) => `Primary key columns can not be NULL: ${expression}`,

  // --- INSERT
  insertUnknown: (name: string) => `Cannot insert values into an unknown stream/table: \`${name}\``,
  otherCase: (name: string, quoted: boolean) =>
    `\nDid you mean ${name}? Hint: try ${quoted ? 'removing double quotes from' : 'wrapping'} the source name${quoted ? '.' : ' in double quotes.'}`,
  insertReadOnly: (word: string, name: string) => `Cannot insert values into read-only ${word}: ${name}`,
  insertReserved: (name: string) => `Inserting into column \`${name}\` is not allowed.`,
} as const;
