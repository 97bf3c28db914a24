// A persistent query at work: the compiled topology between its sources' nodes and its sink. Runs inside the engine's pass, so a
// failure throws through and the engine rolls back, detaches the query and applies the group again (QueryFailure says which).
import { AppError } from '../core/errors.js';
import type { Row } from '../core/data-type.js';
import { isAppliedBehind, type Cursor } from './cursor.js';
import type { ChangeListener } from './table-node.js';

/** The compiled graph as the runtime needs it (dataflow's Topology). */
export interface QueryTopology {
  accept(source: string, before: Row | null, after: Row | null): void;
  readonly stateNames: readonly string[];
}

export class QueryFailure extends Error {
  override readonly name = 'QueryFailure';
  readonly queryId: string;
  /** The table whose build failed; undefined: the query at work. */
  readonly build: string | undefined;
  readonly error: AppError;
  constructor(queryId: string, error: AppError, build: string | undefined) {
    super(error.message, { cause: error });
    this.queryId = queryId;
    this.build = build;
    this.error = error;
  }
}

export interface RunningQueryOptions {
  /** Place in creation order. */
  readonly order: number;
  /** The table that it builds anew, beside the query at work. */
  readonly build?: string | undefined;
  readonly cursors?: Map<string, Cursor> | undefined;
}

export class RunningQuery implements ChangeListener {
  readonly id: string;
  readonly topology: QueryTopology;
  readonly order: number;
  readonly build: string | undefined;
  /** While a version is being filled from its source tables: how far each has been read. Undefined: all of it. */
  cursors: Map<string, Cursor> | undefined;

  constructor(id: string, topology: QueryTopology, options: RunningQueryOptions) {
    this.id = id;
    this.topology = topology;
    this.order = options.order;
    this.build = options.build;
    this.cursors = options.cursors;
  }

  accept(source: string, before: Row | null, after: Row | null): void {
    // A row that the filling has not reached yet will be read later, in its then current state.
    if (this.cursors !== undefined && !isAppliedBehind(this.cursors.get(source), (after ?? before)!)) return;
    this.run(source, before, after);
  }

  refuse(error: AppError): never {
    throw new QueryFailure(this.id, error, this.build);
  }

  run(source: string, before: Row | null, after: Row | null): void {
    try {
      this.topology.accept(source, before, after);
    } catch (error) {
      if (error instanceof QueryFailure) throw error; // of a query downstream
      const known = error instanceof AppError ? error : new AppError('internal', String(error), { cause: error });
      throw new QueryFailure(this.id, known, this.build);
    }
  }
}
