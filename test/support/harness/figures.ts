// What a run prints: one table of figures, or the same as JSON.
export type Figures = Record<string, string | number>;

export function printFigures(name: string, figures: Figures, json: boolean): string {
  if (json) return JSON.stringify({ name, ...figures });
  const width = Math.max(...Object.keys(figures).map((key) => key.length));
  const lines = Object.entries(figures).map(([key, value]) => `  ${key.padEnd(width)}  ${show(value)}`);
  return [`${name}`, ...lines].join('\n');
}

function show(value: string | number): string {
  return typeof value === 'number' ? (Number.isInteger(value) ? value.toLocaleString('en') : value.toFixed(1)) : value;
}

export function percentile(values: readonly number[], share: number): number {
  if (values.length === 0) return Number.NaN;
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)]!;
}
