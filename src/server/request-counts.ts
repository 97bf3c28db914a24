// Counts requests by route and status, and times reads, with a few array accesses each: the general metrics bag builds label
// texts, too much for the hottest path. /metrics prints these samples behind the bag's own.
import { metricDefinitions, type MetricName, type MetricSample } from '../core/metrics.js';

const bounds = [0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5];

/** Routes that answer reads; each has its own series. */
export type ReadRoute = 'row' | 'rows' | 'read' | 'query' | 'query-stream';

class Times {
  readonly #counts = new Float64Array(bounds.length + 1);
  #sum = 0;
  #count = 0;

  add(seconds: number): void {
    this.#sum += seconds;
    this.#count++;
    let i = 0;
    while (i < bounds.length && seconds > bounds[i]!) i++;
    this.#counts[i]!++;
  }

  sample(route: ReadRoute): MetricSample {
    let below = 0;
    return {
      ...described('writethrough_pull_seconds'),
      labels: { route },
      value: this.#count,
      sum: this.#sum,
      buckets: bounds.map((le, i) => ({ le, count: (below += this.#counts[i]!) })),
    };
  }
}

export class RequestCounts {
  readonly #byRoute = new Map<string, number[]>();
  readonly #times: Readonly<Record<ReadRoute, Times>> = {
    row: new Times(),
    rows: new Times(),
    read: new Times(),
    query: new Times(),
    'query-stream': new Times(),
  };
  #dropped = 0;

  add(route: string, status: number): void {
    let counts = this.#byRoute.get(route);
    if (counts === undefined) this.#byRoute.set(route, (counts = []));
    counts[status] = (counts[status] ?? 0) + 1;
  }

  /** A read that was answered in so many seconds. */
  pull(route: ReadRoute, seconds: number): void {
    this.#times[route].add(seconds);
  }

  /** A stream was cut off because its client took nothing. */
  dropped(): void {
    this.#dropped++;
  }

  samples(): MetricSample[] {
    const samples: MetricSample[] = [];
    for (const [route, counts] of this.#byRoute) {
      counts.forEach((value, status) => {
        const labels = { route, status: String(status) };
        samples.push({ ...described('writethrough_http_requests_total'), labels, value });
      });
    }
    for (const route of Object.keys(this.#times) as ReadRoute[]) samples.push(this.#times[route].sample(route));
    samples.push({ ...described('writethrough_subscriber_dropped_total'), labels: {}, value: this.#dropped });
    return samples;
  }
}

function described(name: MetricName): Pick<MetricSample, 'name' | 'type' | 'help'> {
  const [type, help] = metricDefinitions[name];
  return { name, type, help };
}
