// Counts requests by route and status, and times point reads, with two array accesses each: the general metrics bag builds
// label texts, too much for the hottest path. /metrics prints these samples behind the bag's own.
import { metricDefinitions, type MetricSample } from '../core/metrics.js';

const bounds = [0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1];

export class RequestCounts {
  readonly #byRoute = new Map<string, number[]>();
  readonly #pulls = new Float64Array(bounds.length + 1);
  #pullSum = 0;
  #pullCount = 0;

  add(route: string, status: number): void {
    let counts = this.#byRoute.get(route);
    if (counts === undefined) this.#byRoute.set(route, (counts = []));
    counts[status] = (counts[status] ?? 0) + 1;
  }

  pull(seconds: number): void {
    this.#pullSum += seconds;
    this.#pullCount++;
    let i = 0;
    while (i < bounds.length && seconds > bounds[i]!) i++;
    this.#pulls[i]!++;
  }

  samples(): MetricSample[] {
    const samples: MetricSample[] = [];
    for (const [route, counts] of this.#byRoute) {
      counts.forEach((value, status) => {
        samples.push({
          name: 'writethrough_http_requests_total',
          type: 'counter',
          help: metricDefinitions.writethrough_http_requests_total[1],
          labels: { route, status: String(status) },
          value,
        });
      });
    }
    let below = 0;
    samples.push({
      name: 'writethrough_pull_seconds',
      type: 'histogram',
      help: metricDefinitions.writethrough_pull_seconds[1],
      // Its own label, so that it stands beside what the query room observes under the same name.
      labels: { route: 'row' },
      value: this.#pullCount,
      sum: this.#pullSum,
      buckets: bounds.map((le, i) => ({ le, count: (below += this.#pulls[i]!) })),
    });
    return samples;
  }
}
