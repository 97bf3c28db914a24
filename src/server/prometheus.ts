// Metric samples in Prometheus' text form (version 0.0.4), and the few figures of the process itself. Written by hand: our
// samples are already complete, and a client library would keep a second copy of each.
import { heapBytes, residentBytes } from '../core/process-memory.js';
import type { Labels, MetricSample } from '../core/metrics.js';

export const prometheusType = 'text/plain; version=0.0.4; charset=utf-8';

export function printMetrics(samples: readonly MetricSample[]): string {
  const families = new Map<string, MetricSample[]>();
  for (const sample of samples) {
    const family = families.get(sample.name);
    if (family === undefined) families.set(sample.name, [sample]);
    else family.push(sample);
  }
  let text = '';
  for (const [name, family] of families) {
    text += `# HELP ${name} ${family[0]!.help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n# TYPE ${name} ${family[0]!.type}\n`;
    for (const sample of family) text += printSample(sample);
  }
  return text;
}

function printSample(sample: MetricSample): string {
  const { name, labels, value, buckets, sum } = sample;
  if (buckets === undefined) return `${name}${printLabels(labels)} ${printValue(value)}\n`;
  let text = '';
  for (const { le, count } of buckets) text += `${name}_bucket${printLabels({ ...labels, le: String(le) })} ${count}\n`;
  text += `${name}_bucket${printLabels({ ...labels, le: '+Inf' })} ${value}\n`;
  text += `${name}_sum${printLabels(labels)} ${printValue(sum ?? 0)}\n${name}_count${printLabels(labels)} ${value}\n`;
  return text;
}

function printLabels(labels: Labels): string {
  const parts = Object.entries(labels).map(
    ([name, value]) => `${name}="${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`,
  );
  return parts.length === 0 ? '' : `{${parts.join(',')}}`;
}

function printValue(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  if (value === Number.NEGATIVE_INFINITY) return '-Inf';
  return String(value);
}

/** By the names that Prometheus clients of all languages use. */
export function processSamples(): MetricSample[] {
  const cpu = process.cpuUsage();
  const rssBytes = residentBytes();
  const heap = heapBytes();
  const sample = (type: 'counter' | 'gauge', name: string, help: string, value: number): MetricSample => ({
    name,
    type,
    help,
    labels: {},
    value,
  });
  return [
    sample('counter', 'process_cpu_seconds_total', 'user and system CPU time spent', (cpu.user + cpu.system) / 1e6),
    ...(rssBytes === undefined ? [] : [sample('gauge', 'process_resident_memory_bytes', 'resident memory', rssBytes)]),
    sample('gauge', 'nodejs_heap_size_used_bytes', 'used heap of the main thread', heap.used),
    sample('gauge', 'nodejs_external_memory_bytes', 'buffers of the main thread', heap.external),
    sample('gauge', 'process_start_time_seconds', 'start of the process', Math.round(performance.timeOrigin) / 1000),
  ];
}
