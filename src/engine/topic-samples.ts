// How large each topic is, for the metrics. Made anew at each question, so that a topic that is gone is told no more.
import { metricDefinitions, type MetricSample } from '../core/metrics.js';
import type { EngineLog } from './engine-log.js';

const name = 'writethrough_topic_bytes';

export function topicSamples(log: EngineLog): MetricSample[] {
  const [type, help] = metricDefinitions[name];
  return Array.from(log.topicBytes(), ([topic, value]) => ({ name, type, help, labels: { topic }, value }));
}
