// Which tables and columns are captured, by the filters of the configuration. Matching a table happens at every table map, so
// answers are remembered.
import { compilePattern, type Pattern } from '../../core/pattern.js';
import { nameOf, splitPatterns } from '../../core/pattern-list.js';
import { isUnwanted, topicName } from '../../core/topic-name.js';
import type { Filter, MysqlConfig } from './config.js';

const systemSchemas: ReadonlySet<string> = new Set(['mysql', 'information_schema', 'performance_schema', 'sys']);

export class TableFilter {
  readonly #config: MysqlConfig;
  readonly #known = new Map<string, boolean>();
  readonly #named: ReadonlySet<string>;
  #foldsCase = false;

  constructor(config: MysqlConfig) {
    this.#config = config;
    this.#named = new Set(splitPatterns(config.tables.includeText).map((item) => nameOf(item).toLowerCase()));
  }

  /** Names that differ in case alone are one to the server: then they are to every item. */
  set foldsCase(foldsCase: boolean) {
    if (foldsCase === this.#foldsCase) return;
    this.#foldsCase = foldsCase;
    this.#known.clear();
  }

  matches(database: string, table: string): boolean {
    const name = `${database}.${table}`;
    let known = this.#known.get(name);
    if (known === undefined) {
      known =
        this.matchesDatabase(database) && this.#passes(this.#config.tables, name) && this.#isWanted(database, table);
      this.#known.set(name, known);
    }
    return known;
  }

  #isWanted(database: string, table: string): boolean {
    const { topicPrefix, unwanted } = this.#config;
    return (
      unwanted.length === 0 ||
      !isUnwanted(topicName({ topicPrefix, topicForm: 'dotted' }, { database, table }), unwanted)
    );
  }

  /** A database some of whose tables may be captured. */
  matchesDatabase(database: string): boolean {
    return !systemSchemas.has(database.toLowerCase()) && this.#passes(this.#config.databases, database);
  }

  #passes({ include, exclude }: Filter, name: string): boolean {
    const fits = (pattern: Pattern): boolean =>
      (this.#foldsCase && !pattern.ignoreCase ? compilePattern(pattern.text, { ignoreCase: true }) : pattern).test(
        name,
      );
    return (include.length === 0 || include.some(fits)) && !exclude.some(fits);
  }

  isSystem(database: string): boolean {
    return systemSchemas.has(database.toLowerCase());
  }

  /** True when an item of table.include.list is exactly this table's name, not a pattern that happens to match it. */
  names(database: string, table: string): boolean {
    return this.#named.has(`${database}.${table}`.toLowerCase());
  }

  get leavesOutColumns(): boolean {
    return this.#config.excludedColumns.length > 0;
  }

  capturesColumn(database: string, table: string, column: string): boolean {
    const name = `${database}.${table}.${column}`;
    return !this.#config.excludedColumns.some((pattern) => pattern.test(name));
  }

  /** The filters as the user wrote them, for messages. */
  describe(): string {
    const parts = [
      describe('database.include.list', this.#config.databases.includeText),
      describe('database.exclude.list', this.#config.databases.excludeText),
      describe('table.include.list', this.#config.tables.includeText),
      describe('table.exclude.list', this.#config.tables.excludeText),
      this.#config.unwanted.length > 0 ? 'the filters of topics in transforms' : '',
    ];
    return parts.filter((part) => part !== '').join(' and ') || 'no filter';
  }
}

function describe(name: string, text: string): string {
  return text === '' ? '' : `${name} "${text}"`;
}
