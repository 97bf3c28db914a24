// What is polled and has no primary key: views, the query of the configuration, and tables without one. Their rows are the result of one
// statement, since a place in it costs the whole of it again; it is read in parts on a connection of its own, in utf8mb4. What is looked for
// behind a place, or in a span of time, is asked of it as of a table, so a query may have conditions of its own.
import { AppError } from '../../core/errors.js';
import type {
  PolledOptions,
  PolledPage,
  PolledQuery,
  PolledTable,
  PolledTables,
  Relation,
  RowsAsked,
} from '../polling/polled-database.js';
import { leftOut } from '../polling/left-out.js';
import { behindPlace } from '../polling/pages.js';
import { keyPlaces, toldApart } from '../polling/relation-key.js';
import type { SourceFinding } from '../source-connector.js';
import { CharsetTables } from './charset-tables.js';
import { isComparable, withModes, type TableColumn } from './column-form.js';
import type { MysqlConfig } from './config.js';
import { quoteText, Session } from './connection.js';
import type { TableFilter } from './filters.js';
import { writeRow } from './polled-rows.js';
import { spanCondition } from './polled-span.js';
import type { RawRows } from './raw-rows.js';
import { RawStream } from './raw-stream.js';
import { describeResult } from './result-columns.js';
import { literalOf } from './snapshot-query.js';
import { sourceTable, tableName } from './table-schema.js';
import { quoteName, selectExpression, textReader, type TextReader } from './text-reader.js';

const partBytes = 4 << 20;

interface RelationsOptions extends PolledOptions {
  readonly config: MysqlConfig;
  readonly filter: TableFilter;
  readonly database: string;
  /** For questions. */
  readonly session: Session;
}

interface AskedRelation extends Relation {
  /** Behind FROM. */
  readonly from: string;
  readonly suffix: string;
}

/** Described: captured columns alone. */
interface DescribedRelation extends AskedRelation {
  readonly columns: readonly TableColumn[];
  readonly keyColumns: readonly number[];
}

export class PolledRelations {
  readonly #options: RelationsOptions;
  readonly #charsets = new CharsetTables();
  #rows: Session | undefined;

  constructor(options: RelationsOptions) {
    this.#options = options;
  }

  /** Of the database that the URL names; one that cannot be polled is left out aloud. */
  async views(): Promise<PolledTables> {
    const { session, database, isAsked } = this.#options;
    const rows = await session.queryLong(
      `SELECT TABLE_NAME AS name FROM information_schema.TABLES
      WHERE TABLE_SCHEMA = ${quoteText(database)} AND TABLE_TYPE = 'VIEW' ORDER BY TABLE_NAME`,
      'listing its views',
    );
    const tables: PolledTable[] = [];
    const findings: SourceFinding[] = [];
    for (const { name } of rows) {
      const view = { database, table: name! };
      if (!isAsked(database, view.table)) continue;
      try {
        tables.push(await this.#named(view, `view ${tableName(view)}`));
      } catch (error) {
        if (!(error instanceof AppError) || error.retriable) throw error;
        findings.push(leftOut(tableName(view), error));
      }
    }
    return { tables, findings };
  }

  /** One without a primary key. */
  ofTable(table: { readonly database: string; readonly table: string }): Promise<PolledTable> {
    return this.#named(table, `table ${tableName(table)}`);
  }

  async #named({ database, table }: { readonly database: string; readonly table: string }, what: string) {
    const from = `${quoteName(database)}.${quoteName(table)}`;
    try {
      return await this.#relation({ database, table, what, from, suffix: '' });
    } catch (error) {
      throw unreadable(error, what);
    }
  }

  /** Throws bad-connector-config where the server refuses it. */
  async ofQuery({ text, suffix, name }: PolledQuery): Promise<PolledTable> {
    // A comment may end the text.
    const from = `(${text}\n) AS ${quoteName('q')}`;
    try {
      return await this.#relation({ database: this.#options.database, table: name, what: 'the query', from, suffix });
    } catch (error) {
      const refusal = refusedBy(error);
      if (refusal === undefined) throw error;
      throw new AppError('bad-connector-config', `query: the server refuses it: ${refusal}`, {
        hint: 'it has to be one SELECT whose columns have names that differ',
        place: { path: 'query' },
        cause: error,
      });
    }
  }

  close(): void {
    this.#rows?.close();
    this.#rows = undefined;
  }

  async #relation(relation: AskedRelation): Promise<PolledTable> {
    const { config, filter, keyOf } = this.#options;
    const { database, table, what } = relation;
    const key = keyOf(relation);
    const described = withModes(
      await describeResult(await this.#openRows(), `SELECT * FROM ${relation.from} LIMIT 0`),
      config.modes,
    );
    const columns = described.filter(({ name }) => filter.capturesColumn(database, table, name));
    const keyColumns = keyPlaces(key, columns, what);
    const unordered = keyColumns.map((i) => columns[i]!).find(({ form }) => !isComparable(form));
    if (unordered)
      throw new AppError('unsupported-type', `${what}: column ${unordered.name} cannot tell its rows apart`, {
        hint: `values of ${unordered.form.kind} cannot be compared exactly: state another key`,
      });
    const keyed = columns.map((column, i) => (keyColumns.includes(i) ? { ...column, nullable: false } : column));
    const of: DescribedRelation = { ...relation, columns: keyed, keyColumns };
    const readers = keyed.map((column, i) =>
      textReader(column, {
        where: `${tableName(relation)}.${column.name}`,
        isKey: keyColumns.includes(i),
        charsets: this.#charsets,
      }),
    );
    return {
      source: sourceTable(of, filter),
      counted: undefined,
      signature: JSON.stringify([relation.from, relation.suffix, keyed, keyColumns]),
      pages: (asked) => toldApart(this.#pages(of, readers, asked), what, key),
    };
  }

  async *#pages(
    relation: DescribedRelation,
    readers: readonly TextReader[],
    asked: RowsAsked,
  ): AsyncGenerator<PolledPage> {
    const query = new RelationQuery(relation, asked, this.#options.zone);
    const stream = new RawStream(await this.#openRows(), query.sql, { rows: asked.pageRows, bytes: partBytes });
    try {
      do {
        const rows = await stream.next();
        yield {
          count: rows.count,
          last: stream.ended,
          write: (row, encoder) => writeRow(rows, row, readers, encoder, relation.what),
          place: (row) => query.place(rows, row),
        };
      } while (!stream.ended);
    } catch (error) {
      throw unreadable(error, relation.what);
    } finally {
      // The rest of a result stands between us and the next one.
      if (!stream.ended) this.close();
    }
  }

  async #openRows(): Promise<Session> {
    if (this.#rows !== undefined) return this.#rows;
    const { config, session, database } = this.#options;
    const rows = await Session.openWith(config, session.options);
    try {
      await rows.query(`USE ${quoteName(database)}`);
    } catch (error) {
      rows.close();
      throw error;
    }
    return (this.#rows = rows);
  }
}

/** What the server says of a statement that it does not take; undefined: the error is of another kind. */
function refusedBy(error: unknown): string | undefined {
  if (!(error instanceof AppError) || error.retriable || error.code !== 'source-failed') return undefined;
  const { cause } = error;
  return cause instanceof Error && typeof (cause as { readonly errno?: unknown }).errno === 'number'
    ? cause.message
    : undefined;
}

/** Where the server does not take a statement about a view, or about the query that it took before: the error that says so. */
function unreadable(error: unknown, what: string): unknown {
  const refusal = refusedBy(error);
  if (refusal === undefined) return error;
  return new AppError('unreadable-table', `the source cannot answer ${what}: ${refusal}`, {
    hint: 'repair it there, and start the connector again',
    cause: error,
  });
}

/** One statement for all rows that are asked for. Text is compared by its bytes, in which keys differ here. */
class RelationQuery {
  readonly sql: string;
  readonly #relation: DescribedRelation;
  readonly #order: readonly number[];

  constructor(relation: DescribedRelation, { order, after, span, notNull }: RowsAsked, zone: string) {
    this.#relation = relation;
    this.#order = order;
    const { columns, from, suffix } = relation;
    const compared = order.map((i) => comparedAs(columns[i]!));
    const conditions = [
      ...notNull.map((i) => `${quoteName(columns[i]!.name)} IS NOT NULL`),
      ...(span === undefined ? [] : [spanCondition(relation, span, zone)]),
      ...(after === null ? [] : [`(${behindPlace(compared, after)})`]),
    ];
    const where = conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`;
    const selected = columns.map(selectExpression).join(', ');
    this.sql = `SELECT ${selected} FROM ${from}${where} ORDER BY ${compared.join(', ')} ${suffix}`.trimEnd();
  }

  /** Throws keyless-table where the row lacks a part of its key. */
  place(rows: RawRows, row: number): readonly string[] {
    const { columns, what } = this.#relation;
    return this.#order.map((i) => {
      const { name, form } = columns[i]!;
      const bytes = rows.column(row, i);
      if (bytes === null)
        throw new AppError('keyless-table', `a row of ${what} has NULL in ${name}, which tells its rows apart`, {
          hint: 'leave such rows out, or name columns in ValueToKey (transforms.NAME.fields) that are never NULL',
        });
      return isText(form.kind) ? `X'${bytes.toString('hex').toUpperCase()}'` : literalOf(form, bytes);
    });
  }
}

function isText(kind: TableColumn['form']['kind']): boolean {
  return kind === 'text' || kind === 'enum' || kind === 'set';
}

function comparedAs({ name, form }: TableColumn): string {
  if (isText(form.kind)) return `CAST(CONVERT(${quoteName(name)} USING utf8mb4) AS BINARY)`;
  return form.kind === 'bit' ? `${quoteName(name)}+0` : quoteName(name);
}
