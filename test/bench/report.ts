// One table per benchmark for people, or JSON for programs; and the file that keeps a release's figures.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { arch, cpus, release, totalmem, type } from 'node:os';
import { join } from 'node:path';
import { projectRoot } from '../support/servers/cache.js';
import type { Figure } from './bench.js';

export interface Report {
  readonly name: string;
  readonly date: string;
  readonly machine: string;
  readonly figures: readonly (Figure & { readonly ratio?: number })[];
}

/** What figures depend on; no name of the machine or of its user. */
export function machine(): string {
  const [first] = cpus();
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
  return `${cpus().length} x ${first?.model.trim() ?? 'unknown CPU'}, ${memory}, ${type()} ${release()} ${arch()}, Node ${process.version}`;
}

export function reportOf(name: string, figures: readonly Figure[]): Report {
  const withRatio = figures.map((figure) =>
    figure.baseline === undefined ? figure : { ...figure, ratio: figure.value / figure.baseline.value },
  );
  return { name, date: new Date().toISOString().slice(0, 16), machine: machine(), figures: withRatio };
}

export function printReport(report: Report): string {
  const rows = report.figures.map(({ name, value, unit, baseline, ratio, note }) => [
    name,
    `${show(value)} ${unit}`,
    baseline === undefined ? '' : `${show(baseline.value)} (${baseline.name})`,
    ratio === undefined || !Number.isFinite(ratio) ? '' : ratio.toFixed(2),
    note ?? '',
  ]);
  const table = [['figure', 'value', 'baseline', 'ratio', ''], ...rows];
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  const lines = table.map((row) => `  ${row.map((cell, i) => cell.padEnd(widths[i]!)).join('  ')}`.trimEnd());
  return [`${report.name} (${report.date}; ${report.machine})`, ...lines].join('\n');
}

function show(value: number): string {
  if (Number.isNaN(value)) return 'none';
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(value >= 10 ? 1 : 2);
}

/** Replaces the figures of this benchmark in the release's file. */
export function saveReport(report: Report, version: string): string {
  const folder = join(projectRoot(), 'test', 'bench', 'results');
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${version}.json`);
  const kept = existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Record<string, Report>) : {};
  const all = Object.entries({ ...kept, [report.name]: report }).toSorted(([one], [other]) => one.localeCompare(other));
  writeFileSync(path, `${JSON.stringify(Object.fromEntries(all), null, 2)}\n`);
  return path;
}
