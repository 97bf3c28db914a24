// What makes events of a table's rows (EventRouter), and with what it cannot stand together.
import type { SourceTable } from '../core/row-encoder.js';
import { topicName } from '../core/topic-name.js';
import type { OutboxPlan } from '../schema/formats/outbox-row-encoder.js';
import type { OutputSettings } from './output-settings.js';
import { applies, failOf } from './transforms/applied-transform.js';
import { planOutbox, type EventRouting } from './transforms/event-router.js';

export interface PlannedEvents {
  readonly routing: EventRouting;
  readonly outbox: OutboxPlan;
}

/** The transform that makes events of a table's rows. */
function eventRouterOf(
  { database, table }: Pick<SourceTable, 'database' | 'table'>,
  output: OutputSettings,
): { readonly at: number; readonly routing: EventRouting } | undefined {
  const topic = topicName(output, { database, table });
  for (const [at, transform] of output.transforms.entries()) {
    const step = transform.steps.find(({ kind }) => kind === 'route-events');
    if (step?.kind === 'route-events' && applies(transform, topic)) return { at, routing: step.routing };
  }
  return undefined;
}

/** Nothing is held of its rows. */
export function isOutbox(table: Pick<SourceTable, 'database' | 'table'>, output: OutputSettings): boolean {
  return eventRouterOf(table, output) !== undefined;
}

/** Undefined: its rows are rows. */
export function planEvents(
  table: SourceTable,
  output: OutputSettings,
): { readonly topic: string; readonly events: PlannedEvents } | undefined {
  const found = eventRouterOf(table, output);
  if (found === undefined) return undefined;
  const { at, routing } = found;
  const topic = topicName(output, table);
  const router = output.transforms[at]!;
  // What unwraps passes events by: they are no envelopes any more.
  const other = output.transforms.find(
    (transform, i) => i !== at && (i < at || transform.unwraps !== true) && applies(transform, topic),
  );
  if (other)
    throw failOf(other, table)(
      `stands beside "${router.name}", which makes events of its rows`,
      other.unwraps === true
        ? `name ${router.name} in front of ${other.name} in transforms`
        : `give it a predicate that leaves ${topic} out (TopicNameMatches, negate)`,
    );
  return { topic, events: { routing, outbox: planOutbox(routing, table, output.keyFormat, failOf(router, table)) } };
}
