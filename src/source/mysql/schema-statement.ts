// What a statement says about tables and databases, for who is told the statements themselves: which ones it names, and what becomes of
// each. Apart from statement.ts, which asks what a statement may do to rows: here one that touches no row counts, too, such as an index.
import { alterTable } from './alter-table.js';
import { isPrimary, tokenize, Words, type TableName } from './statement-words.js';

export interface NamedTable {
  readonly table: TableName;
  /** `none`: its columns and its key stay. `create-unless`: a table that is there stays as it is. */
  readonly becomes: 'CREATE' | 'ALTER' | 'DROP' | 'create-unless' | 'none';
}

export type SchemaStatement =
  | { readonly kind: 'tables'; readonly tables: readonly NamedTable[] }
  /** Undefined: the session's default database. */
  | { readonly kind: 'database'; readonly database: string | undefined; readonly dropped: boolean };

/** Undefined: it is about neither. */
export function schemaStatement(sql: string): SchemaStatement | undefined {
  return read(new Words(tokenize(sql, { mariadbComments: 'code' })));
}

function read(words: Words): SchemaStatement | undefined {
  switch (words.next()) {
    case 'SET':
      // SET STATEMENT variable = value FOR ALTER TABLE ...
      return words.take('STATEMENT') && words.skipTo('FOR') ? read(words) : undefined;
    case 'CREATE':
      return create(words);
    case 'ALTER':
      return alter(words);
    case 'DROP':
      return drop(words);
    case 'RENAME':
      return words.take('TABLE') || words.take('TABLES') ? rename(words) : undefined;
    case 'TRUNCATE':
      words.take('TABLE');
      return of('none', words.name());
    default:
      return undefined;
  }
}

function of(becomes: NamedTable['becomes'], table: TableName | undefined): SchemaStatement | undefined {
  return table && { kind: 'tables', tables: [{ table, becomes }] };
}

function create(words: Words): SchemaStatement | undefined {
  const replaces = words.take('OR', 'REPLACE');
  if (words.take('TABLE')) {
    const unless = words.take('IF', 'NOT', 'EXISTS') && !replaces;
    return of(unless ? 'create-unless' : 'CREATE', words.name());
  }
  if (isDatabase(words)) {
    words.take('IF', 'NOT', 'EXISTS');
    return { kind: 'database', database: words.name()?.table, dropped: replaces };
  }
  skipOnline(words);
  if (!words.take('INDEX')) {
    const kind = words.next();
    if (!['UNIQUE', 'FULLTEXT', 'SPATIAL', 'VECTOR'].includes(kind) || !words.take('INDEX')) return undefined;
  }
  return words.skipTo('ON') ? of('none', words.name()) : undefined;
}

/** What may stand in the place of the name in ALTER DATABASE. */
const databaseOptions: ReadonlySet<string> = new Set([
  'DEFAULT',
  'CHARACTER',
  'CHARSET',
  'COLLATE',
  'COMMENT',
  'ENCRYPTION',
  'READ',
]);

function alter(words: Words): SchemaStatement | undefined {
  skipOnline(words);
  const ignore = words.take('IGNORE');
  if (isDatabase(words)) {
    const database = databaseOptions.has(words.peek()) ? undefined : words.name()?.table;
    return { kind: 'database', database, dropped: false };
  }
  if (!words.take('TABLE')) return undefined;
  const [first] = words.clauses();
  first?.take('IF', 'EXISTS');
  const table = first?.name();
  if (!table) return undefined;
  const change = alterTable(words, ignore);
  // Read as one that changes rows, so that it tells of every table that it names.
  const effects = change?.effects ?? [];
  const others = effects.flatMap((effect): NamedTable[] => {
    const isOwn = effect.table.table === table.table && effect.table.database === table.database;
    if (effect.does === 'drop') return [{ table: effect.table, becomes: 'DROP' }];
    if (effect.does === 'fill' && !isOwn)
      return [{ table: effect.table, becomes: change!.verb.includes('CONVERT PARTITION') ? 'CREATE' : 'none' }];
    return effect.does === 'rename' ? renamed(effect.table, effect.to) : [];
  });
  const isRenamed = effects.some(({ does }) => does === 'rename');
  return { kind: 'tables', tables: isRenamed ? others : [{ table, becomes: 'ALTER' }, ...others] };
}

/** So that what is known of tables can be kept by their names. */
function renamed(table: TableName, to: TableName): NamedTable[] {
  return [
    { table, becomes: 'DROP' },
    { table: to, becomes: 'CREATE' },
  ];
}

function rename(words: Words): SchemaStatement {
  return { kind: 'tables', tables: words.renames().flatMap(({ table, to }) => renamed(table, to)) };
}

function drop(words: Words): SchemaStatement | undefined {
  if (words.take('TABLE') || words.take('TABLES')) {
    words.take('IF', 'EXISTS');
    return { kind: 'tables', tables: words.names().map((table) => ({ table, becomes: 'DROP' })) };
  }
  if (isDatabase(words)) {
    words.take('IF', 'EXISTS');
    return { kind: 'database', database: words.name()?.table, dropped: true };
  }
  skipOnline(words);
  if (!words.take('INDEX')) return undefined;
  words.take('IF', 'EXISTS');
  const index = words.name();
  if (!index || !words.take('ON')) return undefined;
  return of(isPrimary(index.table) ? 'ALTER' : 'none', words.name());
}

function isDatabase(words: Words): boolean {
  return words.take('DATABASE') || words.take('SCHEMA');
}

function skipOnline(words: Words): void {
  if (!words.take('ONLINE')) words.take('OFFLINE');
}
