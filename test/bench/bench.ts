// What a benchmark is: it measures figures beside baselines of the same run and returns them; printing is report.ts's part.
import type { ServerPool } from '../support/servers/pool.js';

export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** The same thing done in the plainest way, measured in the same run. */
  readonly baseline?: { readonly name: string; readonly value: number };
  readonly note?: string;
}

/** `NAME=VALUE` arguments; a benchmark asks for those it knows. */
export type NumberOf = (name: string, otherwise: number) => number;

export interface BenchEnv {
  readonly pool: ServerPool;
  readonly number: NumberOf;
  /** One line about what is going on, to stderr. */
  readonly say: (line: string) => void;
}

export interface Bench {
  readonly summary: string;
  readonly run: (env: BenchEnv) => Promise<readonly Figure[]>;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Lowest and highest of the runs, so that a reader sees how quiet the machine was. */
export function spread(values: readonly number[], digits = 0): string {
  return `${Math.min(...values).toFixed(digits)}..${Math.max(...values).toFixed(digits)} in ${values.length} runs`;
}
