// A client that listens to the changes of one table, folds them into rows, and after every broken connection goes on with
// Last-Event-ID. It finds fault by itself: an id that does not rise, a `before` that is not the row that it holds (a gap or a
// repeat), an answer 410. What it saw of each key is kept for the comparison with the journal.
import { setTimeout as sleep } from 'node:timers/promises';
import { parseExact, type ExactJson } from './exact-json.js';
import { openStream, type TextStream } from './http-client.js';
import type { Version } from './journal.js';
import { keyOf, printRow, readJsonRow, type CanonicalRow, type LoadTable } from './load-tables.js';
import { waitFor } from './wait-for.js';

export interface SubscriberState {
  readonly rows: ReadonlyMap<string, string>;
  /** Per key the versions in the order in which they came, the snapshot's row first. */
  readonly versions: ReadonlyMap<string, readonly Version[]>;
  readonly events: number;
  readonly connections: number;
  readonly rebuilds: number;
  readonly faults: readonly string[];
  /** ms from the source's commit, as the event states it, to our receipt; ops of the stream only. */
  readonly latenciesMs: readonly number[];
}

export interface Subscriber extends SubscriberState {
  /** Resolves when the snapshot has been read in full. */
  readonly caughtUp: Promise<void>;
  close(): Promise<void>;
}

interface ServerEvent {
  readonly id: string;
  readonly name: string;
  readonly data: string;
}

const faultsMax = 20;

/**
 * `url`: asked at each connection. `lenient`: writes go on while the snapshot is read, so that changes made meanwhile may be told
 * again behind it; then `before` and the order of versions prove nothing, only the folded rows do.
 */
export function subscribe(url: () => string, table: LoadTable, options: { lenient?: boolean } = {}): Subscriber {
  const rows = new Map<string, string>();
  const versions = new Map<string, Version[]>();
  const faults: string[] = [];
  const latenciesMs: number[] = [];
  const stopping = new AbortController();
  let lastId: string | undefined;
  let lastPlace: readonly [number, number] | undefined;
  let events = 0;
  let connections = 0;
  let rebuilds = 0;
  let isCaughtUp = false;
  let open: TextStream | undefined;

  const fault = (text: string): void => {
    if (faults.length < faultsMax) faults.push(`${table.name}: ${text}`);
  };

  function handle(event: ServerEvent): void {
    if (event.name === 'error') return fault(`error event ${event.data}`);
    events++;
    // Marks behind the snapshot's rows, and again whenever the source's word changes: at the place of the last change, or ahead of it.
    if (event.name === 'caught-up' || event.name === 'behind' || event.name === 'stopped') {
      isCaughtUp = true;
      lastId = event.id;
      return;
    }
    if (isCaughtUp) checkOrder(event.id);
    lastId = event.id;
    if (event.name === 'schema') return;
    if (event.name === 'rebuilt') {
      rebuilds++;
      return;
    }
    const body = parseExact(event.data) as Readonly<Record<string, ExactJson>>;
    const before = rowOf(body['before']);
    const after = rowOf(body['after']);
    if (body['id'] !== event.id) fault(`event ${event.id} calls itself ${JSON.stringify(body['id'])}`);
    if (body['op'] !== event.name) fault(`event ${event.name} has op ${JSON.stringify(body['op'])}`);
    const row = after ?? before;
    if (row === null) return fault(`event ${event.id} has neither before nor after`);
    const key = keyOf(table, row);
    if (event.name !== 'r') {
      latenciesMs.push(Date.now() - commitMs(body['commitTime']));
    }
    if (event.name !== 'r' && options.lenient !== true) {
      const held = rows.get(key) ?? null;
      const told = before === null ? null : printRow(before);
      if (held !== told) fault(`event ${event.id} (${event.name}) of ${key}: before is ${told}, we hold ${held}`);
      const expected = before === null ? 'c' : after === null ? 'd' : 'u';
      if (expected !== event.name) fault(`event ${event.id} has op ${event.name} instead of ${expected}`);
    }
    const version = after === null ? null : printRow(after);
    if (version === null) rows.delete(key);
    else rows.set(key, version);
    const list = versions.get(key);
    if (list === undefined) versions.set(key, [version]);
    else list.push(version);
  }

  function rowOf(value: ExactJson | undefined): CanonicalRow | null {
    return value === null || value === undefined ? null : readJsonRow(table, value, 'answer');
  }

  function checkOrder(id: string): void {
    const match = /^[^:]+:(\d+)\.(\d+)$/.exec(id);
    if (match === null) return;
    const place = [Number(match[1]), Number(match[2])] as const;
    if (
      lastPlace !== undefined &&
      (place[0] < lastPlace[0] || (place[0] === lastPlace[0] && place[1] <= lastPlace[1]))
    ) {
      fault(`event ${id} came behind ${lastPlace.join('.')}`);
    }
    lastPlace = place;
  }

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        await listen();
      } catch {
        // The connection broke: the program was killed. Whatever else is wrong shows in the comparison.
      }
      open = undefined;
      await sleep(20);
    }
  }

  async function listen(): Promise<void> {
    const path = `${url()}/v1/tables/${table.name}/changes`;
    const stream = await openStream(lastId === undefined ? `${path}?snapshot=true` : path, {
      accept: 'text/event-stream',
      ...(lastId === undefined ? {} : { 'last-event-id': lastId }),
    });
    open = stream;
    if (stopping.signal.aborted) return stream.close();
    if (stream.status !== 200) {
      if (stream.status === 410) fault(`410 for ${lastId}`);
      stream.close();
      return;
    }
    connections++;
    let buffer = '';
    for await (const part of stream.text) {
      buffer += part;
      let from = 0;
      for (let end = buffer.indexOf('\n\n'); end >= 0; end = buffer.indexOf('\n\n', from)) {
        const event = parseEvent(buffer.slice(from, end));
        from = end + 2;
        if (event !== undefined) handleSafely(event);
      }
      buffer = buffer.slice(from);
    }
  }

  function handleSafely(event: ServerEvent): void {
    try {
      handle(event);
    } catch (error) {
      fault(`event ${event.id}: ${String(error)} in ${event.data.slice(0, 300)}`);
    }
  }

  const running = run();
  return {
    rows,
    versions,
    faults,
    latenciesMs,
    get events() {
      return events;
    },
    get connections() {
      return connections;
    },
    get rebuilds() {
      return rebuilds;
    },
    get caughtUp() {
      return waitFor(`the snapshot of ${table.name} at a subscriber`, () => isCaughtUp).then(() => undefined);
    },
    close: async () => {
      stopping.abort();
      open?.close();
      await running;
    },
  };
}

function parseEvent(text: string): ServerEvent | undefined {
  let id = '';
  let name = 'message';
  const data: string[] = [];
  for (const line of text.split('\n')) {
    if (line.startsWith('id: ')) id = line.slice(4);
    else if (line.startsWith('event: ')) name = line.slice(7);
    else if (line.startsWith('data: ')) data.push(line.slice(6));
  }
  return data.length === 0 ? undefined : { id, name, data: data.join('\n') };
}

/** ISO text or a number of ms or µs. */
function commitMs(value: ExactJson | undefined): number {
  if (typeof value === 'string') return Date.parse(value);
  const number = Number((value as { number?: string } | undefined)?.number ?? Number.NaN);
  return number > 1e14 ? number / 1000 : number;
}
