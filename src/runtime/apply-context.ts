// Where the engine stands inside an append, shared by all nodes while it is applied: one mutable object instead of five
// arguments through every call of the hot path.

export interface ApplyContext {
  seq: number;
  commitTimeUs: number;
  /** ms; of the record in hand */
  rowtimeMs: number;
  /** ROWTIME of the row that is being replaced; undefined where there is none. */
  beforeRowtimeMs: number | undefined;
}

export function newApplyContext(): ApplyContext {
  return { seq: 0, commitTimeUs: 0, rowtimeMs: 0, beforeRowtimeMs: undefined };
}
