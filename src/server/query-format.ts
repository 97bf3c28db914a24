// The three forms in which ksqlDB's /query and /query-stream answer, and which of them an Accept header selects. Rows arrive
// as ready text (columns printed by type), so printing here is only putting brackets around them.
import type { SqlRow, SqlRows } from '../query/query-facade.js';

export type QueryForm =
  /** A line of metadata, then a JSON array a line. */
  | 'delimited'
  /** The same items as elements of one array. */
  | 'array'
  /** `header`, `row`, `finalMessage` objects in one array, one a line. */
  | 'streamed';

export type QueryEndpoint = 'query' | 'query-stream';

const delimitedType = 'application/vnd.ksqlapi.delimited.v1';
const streamedType = 'application/vnd.ksql.v1+json';

/** By endpoint: the form without Accept, and by media type. `*` + `/*` gives the delimited form on both, `/query` included. */
export const queryForms: Readonly<
  Record<QueryEndpoint, { readonly absent: QueryForm; readonly byType: ReadonlyMap<string, QueryForm> }>
> = {
  'query-stream': {
    absent: 'delimited',
    byType: new Map<string, QueryForm>([
      ['*/*', 'delimited'],
      ['application/*', 'delimited'],
      [delimitedType, 'delimited'],
      ['application/json', 'array'],
      [streamedType, 'streamed'],
    ]),
  },
  query: {
    absent: 'streamed',
    byType: new Map<string, QueryForm>([
      ['*/*', 'delimited'],
      ['application/*', 'delimited'],
      [delimitedType, 'delimited'],
      ['application/json', 'streamed'],
      [streamedType, 'streamed'],
    ]),
  },
};

export interface QueryPrinter {
  readonly contentType: string;
  readonly header: string;
  /** Text of a row, or null when the form leaves it out (deletes). */
  row(row: SqlRow): string | null;
  /** Text of an error object behind the header. */
  error(error: Record<string, unknown>): string;
  /** The end: final message where the form has one, closing bracket. */
  end(finalMessage: string | undefined): string;
  /** What may be sent while nothing happens; undefined: nothing may. */
  readonly idle: string | undefined;
}

export interface PrinterOptions {
  readonly push: boolean;
  /** Show deletes where ksqlDB drops them: as `{"tombstone":true,"columns":[...]}`. */
  readonly tombstones: boolean;
}

export function createPrinter(form: QueryForm, rows: SqlRows, options: PrinterOptions): QueryPrinter {
  return form === 'streamed' ? streamedPrinter(rows, options) : plainPrinter(form, rows, options);
}

function plainPrinter(form: 'delimited' | 'array', rows: SqlRows, options: PrinterOptions): QueryPrinter {
  const meta = JSON.stringify({
    queryId: rows.queryId,
    columnNames: rows.columns.map((column) => column.name),
    columnTypes: rows.columns.map((column) => column.type),
  });
  const [before, after] = form === 'array' ? [',', ''] : ['', '\n'];
  return {
    contentType: form === 'array' ? 'application/json' : delimitedType,
    header: form === 'array' ? `[${meta}` : `${meta}\n`,
    row(row) {
      if (!row.tombstone) return `${before}[${row.values}]${after}`;
      return options.tombstones ? `${before}{"tombstone":true,"columns":[${row.values}]}${after}` : null;
    },
    error: (error) => `${before}${JSON.stringify(error)}${after}`,
    end: () => (form === 'array' ? ']' : ''),
    idle: undefined,
  };
}

function streamedPrinter(rows: SqlRows, options: PrinterOptions): QueryPrinter {
  const schema = rows.columns
    .map(({ name, type, isKey }) => `\`${name.replaceAll('`', '``')}\` ${type}${isKey && !options.push ? ' KEY' : ''}`)
    .join(', ');
  return {
    contentType: streamedType,
    header: `[${JSON.stringify({ header: { queryId: rows.queryId, schema } })}`,
    row: (row) => `,\n{"row":{"columns":[${row.values}]${row.tombstone ? ',"tombstone":true' : ''}}}`,
    error: (error) => `,\n${JSON.stringify({ errorMessage: error })}`,
    end: (finalMessage) => (finalMessage === undefined ? ']' : `,\n${JSON.stringify({ finalMessage })}]`),
    // Clients skip empty lines; between two elements they are only white space.
    idle: '\n',
  };
}
