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
  /** The end: final message where the form has one, closing bracket. */
  end(finalMessage: string | undefined): string;
  /** The end with an error behind the header. */
  fail(error: Record<string, unknown>): string;
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
    end: () => (form === 'array' ? ']' : ''),
    fail: (error) => `${before}${JSON.stringify(error)}${form === 'array' ? ']' : after}`,
    idle: undefined,
  };
}

/**
 * Clients cut this form at newlines. So a push query's element brings its comma and newline at once, or it would be seen only
 * with the next one; its end is then always an element, the final message. A pull query puts the comma before an element.
 */
function streamedPrinter(rows: SqlRows, { push }: PrinterOptions): QueryPrinter {
  const schema = rows.columns
    .map(({ name, type, isKey }) => `\`${name.replaceAll('`', '``')}\` ${type}${isKey && !push ? ' KEY' : ''}`)
    .join(', ');
  const [before, after] = push ? ['', ',\n'] : [',\n', ''];
  return {
    contentType: streamedType,
    header: `[${JSON.stringify({ header: { queryId: rows.queryId, schema } })}${after}`,
    row: (row) => `${before}{"row":{"columns":[${row.values}]${row.tombstone ? ',"tombstone":true' : ''}}}${after}`,
    end(finalMessage) {
      const message = finalMessage ?? (push ? 'Query Completed' : undefined);
      return message === undefined ? ']' : `${before}${JSON.stringify({ finalMessage: message })}]`;
    },
    fail: (error) => `${before}${JSON.stringify({ errorMessage: error })}]`,
    // Clients skip empty lines; between two elements they are only white space.
    idle: '\n',
  };
}
