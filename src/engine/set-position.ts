// Gives a connector that rests another position, or none: an append of its producer without records. Whoever opens the producer next goes
// on there.
import { noPosition } from '../core/append.js';
import { producerName } from '../connect/naming.js';
import type { AppendProducer } from '../stream/event-log.js';
import { chunkOf } from './local-appends.js';

export interface SetPositionEnv {
  readonly openProducer: (name: string) => Promise<AppendProducer>;
  readonly nowUs: () => number;
}

/** Null: the position is given up. Resolves when that is durable. */
export async function setPosition(env: SetPositionEnv, connector: string, position: string | null): Promise<void> {
  const producer = await env.openProducer(producerName(connector));
  try {
    const wanted = position ?? noPosition;
    if ((producer.position ?? noPosition) === wanted) return;
    await producer.write(chunkOf({ records: [], commitTimeUs: env.nowUs() }, wanted));
    await producer.flush();
  } finally {
    await producer.close();
  }
}
