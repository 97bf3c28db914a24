// What the server and the start-up code may ask of the projector: run ksqlDB statements, rebuild tables, tell the state.

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

/** An entity of POST /ksql: an object with `@type` and `statementText` (ksqlDB REST API). */
export type StatementEntity = Readonly<Record<string, unknown>>;

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
  readonly error?: string | undefined;
}

export interface QueryStatus {
  readonly id: string;
  readonly sql: string;
  readonly sink: string | null;
  readonly state: 'RUNNING' | 'PAUSED' | 'WAITING' | 'ERROR';
  readonly reason?: string | undefined;
}

export interface StatementFacade {
  /** Validates all statements, then runs them in order; resolves when their effect is visible to reads. */
  execute(request: StatementRequest): Promise<readonly StatementEntity[]>;
  rebuild(table: string): Promise<RebuildProgress>;
  rebuilds(): Promise<readonly RebuildProgress[]>;
  queries(): Promise<readonly QueryStatus[]>;
}
