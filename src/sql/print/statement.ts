// Statements as canonical SQL text, without the semicolon. The law: parsing what is printed gives the same tree.
import type {
  ColumnDef,
  Duration,
  Grouping,
  Join,
  Name,
  Property,
  Query,
  SelectItem,
  SourceRef,
  StatementNode,
} from '../ast.js';
import { unreachable } from '../../core/errors.js';
import { printBase, printExpression, printName, printString, printTypeNode } from './expression.js';

export function printStatement(s: StatementNode): string {
  switch (s.kind) {
    case 'query':
      return printQuery(s);
    case 'create-source': {
      const columns = s.columns.length === 0 ? '' : ` (${s.columns.map(printColumn).join(', ')})`;
      return `${printCreate(s, s.readOnly ? 'SOURCE ' : '')}${columns}${printWith(s.properties)}`;
    }
    case 'create-as':
      return `${printCreate(s, '')}${printWith(s.properties)} AS ${printQuery(s.query)}`;
    case 'create-connector':
      return `CREATE ${s.direction} CONNECTOR ${ifNotExists(s)}${printName(s.name)}${printWith(s.properties)}`;
    case 'create-type':
      return `CREATE TYPE ${ifNotExists(s)}${printName(s.name)} AS ${printTypeNode(s.type)}`;
    case 'insert-values': {
      const columns = s.columns === null ? '' : ` (${s.columns.map(printName).join(', ')})`;
      return `INSERT INTO ${printName(s.target)}${columns} VALUES (${s.values.map(printExpression).join(', ')})`;
    }
    case 'insert-select':
      return `INSERT INTO ${printName(s.target)}${printWith(s.properties)} ${printQuery(s.query)}`;
    case 'drop':
      return `DROP ${s.type} ${s.ifExists ? 'IF EXISTS ' : ''}${printName(s.name)}${s.deleteTopic ? ' DELETE TOPIC' : ''}`;
    case 'alter': {
      const added = s.columns.map((c) => `ADD COLUMN ${printName(c.name)} ${printTypeNode(c.type)}`);
      return `ALTER ${s.type} ${printName(s.name)} ${added.join(', ')}`;
    }
    case 'query-control':
      return `${s.action} ${s.name === null ? 'ALL' : printName(s.name)}`;
    case 'show':
      return `SHOW ${s.all ? 'ALL ' : ''}${s.what}${s.extended ? ' EXTENDED' : ''}`;
    case 'describe': {
      const what = s.name === null ? s.what : `${s.what === 'SOURCE' ? '' : `${s.what} `}${printName(s.name)}`;
      return `DESCRIBE ${what}${s.extended ? ' EXTENDED' : ''}`;
    }
    case 'explain':
      return `EXPLAIN ${s.name === null ? printStatement(s.statement!) : printName(s.name)}`;
    case 'set-property':
      return `${s.system ? 'ALTER SYSTEM' : 'SET'} ${printString(s.name)} = ${printString(s.value)}`;
    case 'unset-property':
      return `UNSET ${printString(s.name)}`;
    case 'define':
      return `DEFINE ${printName(s.name)} = ${printString(s.value)}`;
    case 'undefine':
      return `UNDEFINE ${printName(s.name)}`;
    case 'print': {
      const interval = s.interval === null ? '' : ` INTERVAL ${printExpression(s.interval)}`;
      const limit = s.limit === null ? '' : ` LIMIT ${printExpression(s.limit)}`;
      return `PRINT ${printName(s.topic)}${s.fromBeginning ? ' FROM BEGINNING' : ''}${interval}${limit}`;
    }
    case 'assert-topic':
      return `ASSERT ${exists(s)}TOPIC ${printName(s.topic)}${printWith(s.properties)}${timeout(s)}`;
    case 'assert-schema': {
      const subject = s.subject === null ? '' : ` SUBJECT ${printName(s.subject)}`;
      const id = s.id === null ? '' : ` ID ${printExpression(s.id)}`;
      return `ASSERT ${exists(s)}SCHEMA${subject}${id}${timeout(s)}`;
    }
    default:
      return unreachable(s);
  }
}

function printCreate(
  s: { readonly orReplace: boolean; readonly type: string; readonly ifNotExists: boolean; readonly name: Name },
  readOnly: string,
): string {
  return `CREATE ${s.orReplace ? 'OR REPLACE ' : ''}${readOnly}${s.type} ${ifNotExists(s)}${printName(s.name)}`;
}

function ifNotExists(s: { readonly ifNotExists: boolean }): string {
  return s.ifNotExists ? 'IF NOT EXISTS ' : '';
}

function exists(s: { readonly exists: boolean }): string {
  return s.exists ? '' : 'NOT EXISTS ';
}

function timeout(s: { readonly timeout: Duration | null }): string {
  return s.timeout === null ? '' : ` TIMEOUT ${printDuration(s.timeout)}`;
}

function printDuration(duration: Duration): string {
  return `${duration.amount} ${duration.unit}`;
}

function printColumn(column: ColumnDef): string {
  const roles = {
    value: '',
    key: ' KEY',
    'primary-key': ' PRIMARY KEY',
    headers: ' HEADERS',
    header: ` HEADER(${printString(column.header ?? '')})`,
  };
  return `${printName(column.name)} ${printTypeNode(column.type)}${roles[column.role]}`;
}

function printWith(properties: readonly Property[]): string {
  if (properties.length === 0) return '';
  return ` WITH (${properties.map((p) => `${printName(p.name)}=${printExpression(p.value)}`).join(', ')})`;
}

export function printQuery(q: Query): string {
  const parts = [
    `SELECT ${q.distinct ? 'DISTINCT ' : ''}${q.select.map(printItem).join(', ')} FROM ${printSource(q.from)}`,
  ];
  for (const join of q.joins) parts.push(printJoin(join));
  if (q.window !== null) parts.push(printWindow(q.window));
  if (q.where !== null) parts.push(`WHERE ${printExpression(q.where)}`);
  if (q.groupBy !== null) parts.push(`GROUP BY ${printGrouping(q.groupBy)}`);
  if (q.partitionBy !== null) parts.push(`PARTITION BY ${printGrouping(q.partitionBy)}`);
  if (q.having !== null) parts.push(`HAVING ${printExpression(q.having)}`);
  if (q.orderBy !== null) {
    const items = q.orderBy.items.map((item) => `${printExpression(item.expression)}${item.descending ? ' DESC' : ''}`);
    parts.push(`ORDER BY ${items.join(', ')}`);
  }
  if (q.emit !== null) parts.push(`EMIT ${q.emit.mode}`);
  if (q.limit !== null) parts.push(`LIMIT ${printExpression(q.limit.count)}`);
  if (q.offset !== null) parts.push(`OFFSET ${printExpression(q.offset.count)}`);
  return parts.join(' ');
}

function printItem(item: SelectItem): string {
  switch (item.kind) {
    case 'star':
      return item.source === null ? '*' : `${printName(item.source)}.*`;
    case 'struct-star':
      return `${printBase(item.base)}->*`;
    case 'item':
      return `${printExpression(item.expression)}${item.alias === null ? '' : ` AS ${printName(item.alias)}`}`;
    default:
      return unreachable(item);
  }
}

function printSource(source: SourceRef): string {
  return `${printName(source.name)}${source.alias === null ? '' : ` AS ${printName(source.alias)}`}`;
}

const joinWords = { inner: 'INNER JOIN', left: 'LEFT JOIN', right: 'RIGHT JOIN', outer: 'FULL OUTER JOIN' };

function printJoin(join: Join): string {
  let within = '';
  if (join.within !== null) {
    const { before, after, grace } = join.within;
    within = ` WITHIN (${printDuration(before)}, ${printDuration(after)})`;
    if (grace !== null) within += ` GRACE PERIOD ${printDuration(grace)}`;
  }
  return `${joinWords[join.type]} ${printSource(join.source)}${within} ON ${printExpression(join.on)}`;
}

function printWindow(window: NonNullable<Query['window']>): string {
  const parts = [`${window.type === 'SESSION' ? '' : 'SIZE '}${printDuration(window.size)}`];
  if (window.advance !== null) parts.push(`ADVANCE BY ${printDuration(window.advance)}`);
  if (window.retention !== null) parts.push(`RETENTION ${printDuration(window.retention)}`);
  if (window.grace !== null) parts.push(`GRACE PERIOD ${printDuration(window.grace)}`);
  return `WINDOW ${window.type} (${parts.join(', ')})`;
}

/** Always in parentheses: a single expression in parentheses of its own would read as a list otherwise. */
function printGrouping(grouping: Grouping): string {
  return `(${grouping.expressions.map(printExpression).join(', ')})`;
}
