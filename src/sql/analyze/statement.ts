// A parsed statement and the catalogue to what is to be done: the entry of the analyser. Whether a name is taken already is not
// asked here for CREATE: that depends on who owns it (a captured table may be taken over).
import { unreachable } from '../../core/errors.js';
import { beginEvaluation, endEvaluation } from '../../core/evaluation-work.js';
import type { Query, StatementNode } from '../ast.js';
import { messages } from '../messages.js';
import type { ParsedStatement } from '../parser/parse.js';
import type { CatalogView, SourceDefinition, Statement } from '../plan.js';
import { invalidStatement, namingStatement, syntaxError, unsupported, withExcerpt } from '../sql-error.js';
import { Context, unknownSource, type AnalyzeOptions } from './context.js';
import { analyzeCreateAs } from './create-as.js';
import { beginStatement } from './effort.js';
import { foldNames } from './fold-names.js';
import { analyzeInsert } from './insert.js';
import { limitOf } from './limit.js';
import { analyzePull } from './pull.js';
import { analyzeQuery } from './query.js';
import { analyzeCreateSource } from './source.js';

export type { AnalyzeOptions } from './context.js';

/** Errors carry place and excerpt; a stream or table that is not there is `unknown-table`. */
export function analyzeStatement(parsed: ParsedStatement, catalog: CatalogView, options: AnalyzeOptions): Statement {
  const context = new Context(catalog, options);
  beginStatement(options.accepted ?? false);
  beginEvaluation();
  try {
    return analyze(options.strict ? foldNames(parsed.ast) : parsed.ast, context);
  } catch (error) {
    throw withExcerpt(namingStatement(error, parsed.text), parsed.text, parsed.place);
  } finally {
    endEvaluation();
  }
}

function analyze(node: StatementNode, context: Context): Statement {
  switch (node.kind) {
    case 'query':
      return analyzeSelect(node, context);
    case 'create-source':
      return analyzeCreateSource(node, context);
    case 'create-as':
      return analyzeCreateAs(node, context);
    case 'insert-values':
      return analyzeInsert(node, context);
    case 'drop':
      return analyzeDrop(node, context);
    case 'query-control': {
      const kind = node.action === 'TERMINATE' ? 'terminate' : node.action === 'PAUSE' ? 'pause' : 'resume';
      return { kind, queryId: node.name?.text ?? null };
    }
    case 'show':
      return analyzeShow(node);
    case 'describe':
      return analyzeDescribe(node, context);
    case 'explain':
      return analyzeExplain(node, context);
    case 'set-property':
      if (node.system) throw unsupported(node.place, 'ALTER SYSTEM', `write SET '${node.name}' = '${node.value}';`);
      return { kind: 'set', name: node.name, value: node.value };
    case 'unset-property':
      return { kind: 'unset', name: node.name, value: null };
    case 'define':
      return { kind: 'define', name: node.name.text, value: node.value };
    case 'undefine':
      return { kind: 'undefine', name: node.name.text, value: null };
    case 'insert-select':
      throw unsupported(node.place, 'INSERT INTO .. SELECT');
    case 'create-connector':
      throw unsupported(
        node.place,
        'CREATE CONNECTOR',
        'connectors are made through the Connect API: POST /connectors',
      );
    case 'create-type':
      throw unsupported(node.place, 'CREATE TYPE');
    case 'alter':
      throw unsupported(node.place, `ALTER ${node.type}`);
    case 'print':
      throw unsupported(node.place, 'PRINT');
    case 'assert-topic':
      throw unsupported(node.place, 'ASSERT TOPIC');
    case 'assert-schema':
      throw unsupported(node.place, 'ASSERT SCHEMA');
    default:
      return unreachable(node);
  }
}

function analyzeSelect(query: Query, context: Context): Statement {
  if (query.emit === null) return { kind: 'pull', plan: analyzePull(query, context) };
  const limit = limitOf(query);
  return { kind: 'push', plan: analyzeQuery(query, context, null).plan, limit };
}

function analyzeDrop(node: StatementNode & { kind: 'drop' }, context: Context): Statement {
  if (node.type === 'CONNECTOR' || node.type === 'TYPE') throw unsupported(node.place, `DROP ${node.type}`);
  const sourceKind = node.type === 'STREAM' ? 'stream' : 'table';
  const found = context.findSource(node.name.text);
  if (found === undefined && !node.ifExists) {
    const word = node.type === 'STREAM' ? 'Stream' : 'Table';
    throw unknownSource(messages.unknownDropTarget(word, node.name.text), node.name, context);
  }
  if (found !== undefined && found.sourceKind !== sourceKind) {
    throw invalidStatement(node.name.place, messages.wrongDropTarget(found.name, found.sourceKind.toUpperCase()));
  }
  const name = found?.name ?? node.name.text;
  return { kind: 'drop', sourceKind, name, ifExists: node.ifExists, deleteTopic: node.deleteTopic };
}

const shown = {
  PROPERTIES: 'properties',
  TOPICS: 'topics',
  STREAMS: 'streams',
  TABLES: 'tables',
  FUNCTIONS: 'functions',
  CONNECTORS: 'connectors',
  'SOURCE CONNECTORS': 'connectors',
  'SINK CONNECTORS': null,
  'CONNECTOR PLUGINS': null,
  TYPES: 'types',
  VARIABLES: 'variables',
  QUERIES: 'queries',
} as const;

function analyzeShow(node: StatementNode & { kind: 'show' }): Statement {
  const what = shown[node.what];
  if (what === null) throw unsupported(node.place, `SHOW ${node.what}`);
  if (node.all) throw unsupported(node.place, 'SHOW ALL TOPICS');
  return { kind: 'show', what, extended: node.extended };
}

function analyzeDescribe(node: StatementNode & { kind: 'describe' }, context: Context): Statement {
  switch (node.what) {
    case 'STREAMS':
      return { kind: 'show', what: 'streams', extended: true };
    case 'TABLES':
      return { kind: 'show', what: 'tables', extended: true };
    case 'FUNCTION':
    case 'CONNECTOR':
      throw unsupported(node.place, `DESCRIBE ${node.what}`);
    case 'SOURCE':
      return { kind: 'describe', name: described(node, context).name, extended: node.extended };
  }
}

function described(node: StatementNode & { kind: 'describe' }, context: Context): SourceDefinition {
  const name = node.name!;
  const found = context.findSource(name.text);
  if (found !== undefined) return found;
  throw unknownSource(`Could not find STREAM/TABLE '${name.text}' in the Metastore`, name, context);
}

function analyzeExplain(node: StatementNode & { kind: 'explain' }, context: Context): Statement {
  const { name, statement } = node;
  if (name !== null) return { kind: 'explain', query: name.text, plan: null };
  if (statement?.kind === 'create-as') {
    return { kind: 'explain', query: null, plan: analyzeCreateAs(statement, context).plan };
  }
  if (statement?.kind !== 'query') {
    throw syntaxError(statement!.place, 'EXPLAIN takes a SELECT, a CREATE .. AS SELECT or the id of a query');
  }
  if (statement.emit !== null)
    return { kind: 'explain', query: null, plan: analyzeQuery(statement, context, null).plan, push: true };
  return { kind: 'explain', query: null, plan: null, pull: analyzePull(statement, context) };
}
