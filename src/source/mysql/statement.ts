// Statement text in the binlog, classified by its leading words and the tables that it names; never parsed further, since
// columns are described by the table maps. What is not known to leave rows, columns and keys alone counts as a change.
import { alterTable, type TableEffect } from './alter-table.js';
import { isPrimary, tokenize, Words, type TableName } from './statement-words.js';

export type Statement =
  | {
      readonly kind: 'begin' | 'commit' | 'rollback' | 'xa-start' | 'xa-end' | 'xa-commit' | 'xa-rollback';
    }
  | {
      readonly kind: 'create-table';
      readonly tables: readonly TableName[];
      readonly replaces: boolean;
      /** IF NOT EXISTS: it may have found the table in place. */
      readonly ifNotExists: boolean;
    }
  /** SAVEPOINT, and what forgets one (`name` null). */
  | { readonly kind: 'savepoint'; readonly name: string | null }
  | { readonly kind: 'rollback-to'; readonly name: string }
  /** Touches tables otherwise than by row events. */
  | { readonly kind: 'table-change'; readonly verb: string; readonly effects: readonly TableEffect[] }
  | { readonly kind: 'drop-database'; readonly verb: string; readonly database: string }
  /** Touches no row, column or primary key of any table. */
  | { readonly kind: 'neutral' }
  /** INSERT, UPDATE and so on as text, or words that are not known here. */
  | { readonly kind: 'rows'; readonly verb: string };

const neutralVerbs: ReadonlySet<string> = new Set([
  'OPTIMIZE',
  'CHECK',
  'GRANT',
  'REVOKE',
  'FLUSH',
  'RESET',
  'INSTALL',
  'UNINSTALL',
  'USE',
  'SHUTDOWN',
]);
/** What CREATE, ALTER and DROP can name besides tables and databases. */
const neutralObjects: ReadonlySet<string> = new Set([
  'JSON',
  'SPATIAL',
  'USER',
  'ROLE',
  'VIEW',
  'ALGORITHM',
  'DEFINER',
  'SQL',
  'PROCEDURE',
  'FUNCTION',
  'AGGREGATE',
  'TRIGGER',
  'EVENT',
  'SERVER',
  'SEQUENCE',
  'TABLESPACE',
  'UNDO',
  'LOGFILE',
  'RESOURCE',
  'PACKAGE',
  'INSTANCE',
  'PREPARE',
  'LIBRARY',
]);

export function classify(sql: string): Statement {
  const statement = classifyWords(new Words(tokenize(sql, { mariadbComments: 'code' })));
  if (!sql.includes('/*M!')) return statement;
  // Which server reads it is not known here, so the reading that touches more counts.
  const other = classifyWords(new Words(tokenize(sql, { mariadbComments: 'comment' })));
  if (statement.kind === 'table-change' && other.kind === 'table-change') {
    return { ...statement, effects: [...statement.effects, ...other.effects] };
  }
  return statement.kind === 'neutral' || other.kind === 'rows' ? other : statement;
}

function classifyWords(words: Words): Statement {
  const verb = words.next();
  switch (verb) {
    case '':
    case ';':
      return { kind: 'neutral' };
    case 'BEGIN':
      return words.take('NOT') ? { kind: 'rows', verb: 'BEGIN NOT ATOMIC' } : { kind: 'begin' };
    case 'START':
      return words.peek() === 'TRANSACTION' ? { kind: 'begin' } : { kind: 'neutral' };
    case 'COMMIT':
      return { kind: 'commit' };
    case 'SAVEPOINT':
      return { kind: 'savepoint', name: savepointName(words) };
    case 'RELEASE':
      return { kind: 'savepoint', name: null };
    case 'ROLLBACK':
      words.take('WORK');
      if (!words.take('TO')) return { kind: 'rollback' };
      words.take('SAVEPOINT');
      return { kind: 'rollback-to', name: savepointName(words) };
    case 'XA':
      return classifyXa(words.next());
    case 'TRUNCATE':
      words.take('TABLE');
      return tableChange(verb, words.names().slice(0, 1), 'truncate');
    case 'REPAIR':
      // Of MyISAM and Aria tables it may leave out rows that it cannot save.
      takeTable(words);
      return tableChange(verb, words.names(), 'change');
    case 'ANALYZE':
      // ANALYZE UPDATE ... runs the statement.
      return takeTable(words) ? { kind: 'neutral' } : { kind: 'rows', verb };
    case 'SET':
      // SET STATEMENT variable = value FOR ALTER TABLE ...
      if (!words.take('STATEMENT')) return { kind: 'neutral' };
      return words.skipTo('FOR') ? classifyWords(words) : { kind: 'rows', verb: 'SET STATEMENT' };
    case 'RENAME':
      return classifyRename(words);
    case 'DROP':
      return classifyDrop(words);
    case 'CREATE':
      return classifyCreate(words);
    case 'ALTER':
      return classifyAlter(words);
    default:
      return neutralVerbs.has(verb) ? { kind: 'neutral' } : { kind: 'rows', verb: verb.trim() || 'a statement' };
  }
}

/** Compared without case by both servers. */
function savepointName(words: Words): string {
  return (words.name()?.table ?? '').toLowerCase();
}

function tableChange(verb: string, tables: readonly TableName[], does: 'change' | 'truncate' | 'drop'): Statement {
  return { kind: 'table-change', verb, effects: tables.map((table) => ({ does, table })) };
}

function takeTable(words: Words): boolean {
  if (!words.take('NO_WRITE_TO_BINLOG')) words.take('LOCAL');
  return words.take('TABLE') || words.take('TABLES');
}

function classifyXa(word: string): Statement {
  switch (word) {
    case 'START':
    case 'BEGIN':
      return { kind: 'xa-start' };
    case 'END':
      return { kind: 'xa-end' };
    case 'COMMIT':
      return { kind: 'xa-commit' };
    case 'ROLLBACK':
      return { kind: 'xa-rollback' };
    default:
      return { kind: 'rows', verb: `XA ${word}` };
  }
}

function classifyRename(words: Words): Statement {
  if (words.take('USER')) return { kind: 'neutral' };
  if (!words.take('TABLE') && !words.take('TABLES')) return { kind: 'rows', verb: 'RENAME' };
  const effects = words.renames().map((each): TableEffect => ({ does: 'rename', ...each }));
  return { kind: 'table-change', verb: 'RENAME', effects };
}

function classifyDrop(words: Words): Statement {
  if (words.take('TEMPORARY')) return { kind: 'neutral' };
  if (words.take('TABLE') || words.take('TABLES')) {
    words.take('IF', 'EXISTS');
    return tableChange('DROP', words.names(), 'drop');
  }
  if (words.take('DATABASE') || words.take('SCHEMA')) {
    words.take('IF', 'EXISTS');
    return { kind: 'drop-database', verb: 'DROP DATABASE', database: words.name()?.table ?? '' };
  }
  if (!words.take('ONLINE')) words.take('OFFLINE');
  if (words.take('INDEX')) {
    words.take('IF', 'EXISTS');
    const index = words.name();
    if (!index || !isPrimary(index.table)) return { kind: 'neutral' };
    words.take('ON');
    return tableChange('DROP PRIMARY KEY', words.names().slice(0, 1), 'change');
  }
  return neutralObjects.has(words.peek()) ? { kind: 'neutral' } : { kind: 'rows', verb: `DROP ${words.peek()}` };
}

const indexKinds: ReadonlySet<string> = new Set(['UNIQUE', 'FULLTEXT', 'SPATIAL', 'VECTOR']);

function classifyCreate(words: Words): Statement {
  const replaces = words.take('OR', 'REPLACE');
  if (words.take('TEMPORARY')) return { kind: 'neutral' };
  if (words.take('TABLE')) {
    const ifNotExists = words.take('IF', 'NOT', 'EXISTS');
    const name = words.name();
    return {
      kind: 'create-table',
      tables: name ? [name] : [],
      replaces,
      ifNotExists,
    };
  }
  if (words.take('DATABASE') || words.take('SCHEMA')) {
    if (!replaces) return { kind: 'neutral' };
    return { kind: 'drop-database', verb: 'CREATE OR REPLACE DATABASE', database: words.name()?.table ?? '' };
  }
  if (!words.take('ONLINE')) words.take('OFFLINE');
  if (words.take('INDEX')) return { kind: 'neutral' };
  if (neutralObjects.has(words.peek())) return { kind: 'neutral' };
  const kind = words.next();
  if (indexKinds.has(kind) && words.take('INDEX')) return { kind: 'neutral' };
  return { kind: 'rows', verb: `CREATE ${kind}` };
}

function classifyAlter(words: Words): Statement {
  if (!words.take('ONLINE')) words.take('OFFLINE');
  const ignore = words.take('IGNORE');
  if (words.take('DATABASE') || words.take('SCHEMA')) {
    // ... UPGRADE DATA DIRECTORY NAME gives every table of the database another name.
    return words.has('UPGRADE') ? { kind: 'rows', verb: 'ALTER DATABASE UPGRADE' } : { kind: 'neutral' };
  }
  if (words.take('TABLE')) {
    const change = alterTable(words, ignore);
    return change ? { kind: 'table-change', ...change } : { kind: 'neutral' };
  }
  return neutralObjects.has(words.peek()) ? { kind: 'neutral' } : { kind: 'rows', verb: `ALTER ${words.peek()}` };
}
