// What the server and the start-up code may ask of the projector: run ksqlDB statements, rebuild tables, tell the state. Results are
// what the statement came to, in terms of the domain; how ksqlDB's REST API writes them is the server's business.
import type { Column, RowSchema } from '../core/data-type.js';
import type { ErrorCode, ErrorMessage } from '../core/errors.js';

export interface StatementRequest {
  /** One or more statements. */
  readonly sql: string;
  readonly properties?: Readonly<Record<string, unknown>> | undefined;
  readonly sessionVariables?: Readonly<Record<string, string>> | undefined;
  /** Who owns what it makes. */
  readonly owner: 'file' | 'flag' | 'api';
  /** Name of the file, for places in errors. */
  readonly file?: string | undefined;
}

/** What a statement names: `stream` and `table` by their names, `pause` and so on by a query's id. */
export interface CommandName {
  readonly type: 'stream' | 'table' | 'pause' | 'resume' | 'terminate';
  readonly name: string;
  readonly action: 'create' | 'drop' | 'execute';
}

export interface SourceSummary {
  readonly name: string;
  readonly sourceKind: 'stream' | 'table';
  readonly topic: string;
  readonly keyFormat: string;
  readonly valueFormat: string;
}

export interface SourceDetail extends SourceSummary {
  readonly schema: RowSchema;
  readonly timestampColumn: string | null;
  readonly partitions: number;
  /** Others write its topic. */
  readonly imported: boolean;
  readonly sql: string | null;
  /** Why it stands still. */
  readonly failure: string | null;
}

export interface QuerySummary {
  readonly id: string;
  readonly sql: string;
  readonly sink: string;
  readonly sinkTopic: string;
  readonly state: QueryStateName;
}
export type QueryStateName = 'RUNNING' | 'PAUSED' | 'ERROR';

/** A query that was explained; it need not run, nor have an id. */
export interface ExplainedQuery {
  readonly id: string;
  readonly sql: string;
  readonly sources: readonly string[];
  readonly sinks: readonly string[];
  readonly state: QueryStateName | 'UNASSIGNED';
  readonly queryType: 'PERSISTENT' | 'PUSH' | 'PULL';
  readonly plan: string;
  readonly columns: readonly Column[];
  /** Indexes into `columns`. */
  readonly keyColumns: readonly number[];
}

/** What a statement came to. `text` is the statement. */
export type StatementResult =
  /** It took effect at this seq: two statements came in the order of theirs. */
  | {
      readonly kind: 'applied';
      readonly text: string;
      readonly command: CommandName;
      readonly message: string;
      readonly seq: number;
      readonly queryId: string | null;
    }
  /** Nothing was to be done (IF NOT EXISTS). */
  | { readonly kind: 'left-alone'; readonly text: string; readonly message: string; readonly seq: number }
  | {
      readonly kind: 'sources';
      readonly text: string;
      readonly sourceKind: 'stream' | 'table';
      readonly sources: readonly SourceSummary[];
    }
  | { readonly kind: 'queries'; readonly text: string; readonly queries: readonly QuerySummary[] }
  | {
      readonly kind: 'topics';
      readonly text: string;
      readonly topics: readonly { readonly name: string; readonly partitions: number }[];
    }
  | { readonly kind: 'properties'; readonly text: string; readonly properties: Readonly<Record<string, string>> }
  | { readonly kind: 'functions'; readonly text: string; readonly names: readonly string[] }
  | { readonly kind: 'variables' | 'types'; readonly text: string }
  | {
      readonly kind: 'connectors';
      readonly text: string;
      readonly connectors: readonly { readonly name: string; readonly className: string; readonly state: string }[];
    }
  | {
      readonly kind: 'source';
      readonly text: string;
      readonly source: SourceDetail;
      readonly extended: boolean;
      readonly readBy: readonly QuerySummary[];
      readonly writtenBy: readonly QuerySummary[];
    }
  | { readonly kind: 'explained'; readonly text: string; readonly query: ExplainedQuery };

export interface RebuildProgress {
  readonly table: string;
  readonly state: 'building' | 'catching-up' | 'swapping' | 'done' | 'failed';
  /** Taken so far: records of the log, or rows of the tables that the query reads. How many rows come of them is another number. */
  readonly rows: number;
  /** Log position reached and the head, for the ratio. */
  readonly seq: number;
  readonly headSeq: number;
  readonly rowsPerSecond: number;
  readonly etaSeconds: number | null;
  /** Measured inside the engine at the swap; set when done. */
  readonly pauseMs?: number | undefined;
  /** Why it has failed, the error's code, and what can be done. */
  readonly error?: string | undefined;
  readonly code?: ErrorCode | undefined;
  readonly hint?: string | undefined;
}

export interface QueryStatus {
  readonly id: string;
  readonly sql: string;
  readonly sink: string | null;
  readonly state: 'RUNNING' | 'PAUSED' | 'WAITING' | 'ERROR';
  readonly reason?: string | undefined;
}

/** What several statements came to: those before the one that failed have taken effect. */
export interface StatementRun {
  readonly results: readonly StatementResult[];
  readonly failed?: { readonly text: string; readonly error: ErrorMessage } | undefined;
}

export interface StatementFacade {
  /** Validates all statements, then runs them in order; resolves when their effect is visible to reads. */
  execute(request: StatementRequest): Promise<readonly StatementResult[]>;
  /** The same for who wants to know what took effect before a failure; rejects where the text is not a list of statements. */
  run(request: StatementRequest): Promise<StatementRun>;
  rebuild(table: string): Promise<RebuildProgress>;
  rebuilds(): Promise<readonly RebuildProgress[]>;
  queries(): Promise<readonly QueryStatus[]>;
}
