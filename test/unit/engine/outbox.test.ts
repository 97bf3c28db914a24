// The outbox over a real table and a target in memory: bounds, what is sent after which crash, refused topics, and folders of before.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/core/clock.js';
import { nothingDerived, type DerivedGroup, type DerivedNumber } from '../../../src/core/derived.js';
import { AppError } from '../../../src/core/errors.js';
import { extent, extentSize, RecordSet } from '../../../src/core/record.js';
import { Outbox, type OutboxTarget } from '../../../src/engine/outbox.js';
import { upgradeOutbox } from '../../../src/engine/outbox-upgrade.js';
import { openDatabase, type SqliteDatabase } from '../../../src/sqlite/database.js';
import { OutboxTable } from '../../../src/store/sqlite/outbox-table.js';
import { openStateStore } from '../../../src/store/sqlite/state-store.js';
import { TopicRefusal } from '../../../src/stream/topic-refusal.js';

let database: SqliteDatabase;
let store: OutboxTable;
let outbox: Outbox;
let target: MemoryTarget;
let refused: string[];
let errors: unknown[];

/** What stands in the topics, and what is taken and not durable yet. */
class MemoryTarget {
  position: DerivedNumber = nothingDerived;
  readonly written: string[] = [];
  /** Of the groups, those without records too. */
  readonly numbers: string[] = [];
  readonly gone = new Set<string>();
  opened = 0;
  held = false;
  #fail: (error: AppError) => void = () => {};
  #listener: (number: DerivedNumber) => void = () => {};
  #taken: DerivedGroup[] = [];

  open(): OutboxTarget {
    this.opened++;
    this.#taken = [];
    const ended = new Promise<AppError>((resolve) => (this.#fail = resolve));
    return {
      position: this.position,
      ended,
      write: async (group) => {
        const gone = group.records.topics.find((topic) => this.gone.has(topic));
        if (gone !== undefined) throw new TopicRefusal(gone, 'log-access-denied', `topic ${gone} is closed`);
        this.#taken.push(group);
        if (!this.held) this.flush();
      },
      onDurable: (listener) => (this.#listener = listener),
      close: async () => {},
    };
  }

  flush(): void {
    for (const { seq, piece, records } of this.#taken.splice(0)) {
      this.numbers.push(`${seq}.${piece}`);
      for (let i = 0; i < records.count; i++)
        this.written.push(`${seq}.${piece} ${records.topic(i)}=${records.value(i)!.toString()}`);
      this.position = { seq, piece };
      this.#listener(this.position);
    }
  }

  get taken(): number {
    return this.#taken.length;
  }

  fail(error: AppError): void {
    this.#fail(error);
  }
}

function group(seq: number, piece: number, ...topics: string[]): DerivedGroup {
  const extents = new Int32Array(topics.length * extentSize);
  const data = Buffer.from(topics.map((_, i) => String(i)).join(''));
  const names = [...new Set(topics)];
  topics.forEach((topic, i) => {
    extents.set([0, names.indexOf(topic), 0, 0, 0, -1, i, 1], i * extentSize);
    expect(extents[i * extentSize + extent.valueStart]).toBe(i);
  });
  const timestamps = Float64Array.from(topics, (_, i) => 1000 + i);
  return {
    seq,
    piece,
    commitTimeUs: seq,
    records: new RecordSet({ buffers: [data], topics: names, extents, count: topics.length, timestamps }),
  };
}

function openOutbox(bytesMax = 1024 * 1024): Outbox {
  store = new OutboxTable(database, systemClock);
  const opened = new Outbox({
    store,
    openTarget: async () => target.open(),
    ready: async () => {},
    onRefused: async ({ topic }) => {
      refused.push(topic);
      database.transaction(() => opened.refuse(topic, refusedUpTo));
    },
    onError: (error) => errors.push(error),
    onRoom: () => {},
    bytesMax,
  });
  return opened;
}

let refusedUpTo = 0;
const add = (...groups: DerivedGroup[]) => {
  database.transaction(() => outbox.add(groups));
  outbox.committed();
};
const sent = (count: number) => expect.poll(() => target.written.length).toBe(count);

beforeEach(() => {
  database = openDatabase(':memory:', {});
  target = new MemoryTarget();
  refused = [];
  errors = [];
  outbox = openOutbox();
});
afterEach(async () => {
  await outbox.stopSending();
  expect(errors).toEqual([]);
  database.close();
});

describe('the outbox', () => {
  it('tells its position anew when it is asked to, in its place, and never one that it does not have', async () => {
    outbox.tellAgain();
    await outbox.startSending();
    add(group(5, 0, 'a'));
    await sent(1);
    outbox.tellAgain();
    await expect.poll(() => target.numbers.length).toBe(2);
    add(group(7, 0, 'b'));
    await sent(2);
    expect(target.numbers).toEqual(['5.0', '5.0', '7.0']);
    expect(target.written).toEqual(['5.0 a=0', '7.0 b=0']);
  });

  it('says when nothing that was sent can reach a topic any more: it is out, or given up', async () => {
    await outbox.settled();
    target.held = true;
    await outbox.startSending();
    await outbox.settled();
    add(group(5, 0, 'a'));
    await expect.poll(() => target.taken).toBe(1);
    let settled = false;
    const out = outbox.settled().then(() => (settled = true));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(settled).toBe(false);
    target.flush();
    await out;
    add(group(6, 0, 'a'));
    await expect.poll(() => target.taken).toBe(1);
    const givenUp = outbox.settled();
    target.fail(new AppError('log-unreachable', 'no brokers', { retriable: true }));
    await givenUp;
    expect(target.written).toEqual(['5.0 a=0']);
  });

  it('sends groups in order, once, and drops what is durable', async () => {
    add(group(5, 0, 'a', 'b'), group(5, 1, 'a'));
    await outbox.startSending();
    await sent(3);
    target.held = true;
    add(group(7, 0, 'b'));
    expect(outbox.drop()).toBe(true);
    expect(outbox.status).toMatchObject({ entries: 1, sending: true });
    await expect.poll(() => target.taken).toBe(1);
    target.flush();
    await sent(4);
    expect(target.written).toEqual(['5.0 a=0', '5.0 b=1', '5.1 a=0', '7.0 b=0']);
    outbox.drop();
    expect(outbox.status).toMatchObject({ entries: 0, bytes: 0, oldestMs: undefined });
    expect(outbox.drop()).toBe(false);
    target.held = false;
    add(group(8, 0, 'a'));
    await sent(5);
  });

  it('is empty again after a rollback', () => {
    add(group(1, 0, 'a'));
    expect(() =>
      database.transaction(() => {
        outbox.add([group(2, 0, 'a')]);
        throw new Error('the commit fails');
      }),
    ).toThrow('the commit fails');
    expect(outbox.status.entries).toBe(1);
    add(group(2, 0, 'a'));
    expect(outbox.status.entries).toBe(2);
  });

  it('neither keeps nor sends what is out already, whoever has sent it', async () => {
    target.position = { seq: 5, piece: 1 };
    add(group(4, 0, 'a'), group(5, 0, 'a'), group(5, 1, 'a'), group(5, 2, 'a'));
    await outbox.startSending();
    await sent(1);
    add(group(5, 3, 'a'));
    await sent(2);
    expect(target.written).toEqual(['5.2 a=0', '5.3 a=0']);
    outbox.noteOut({ seq: 9, piece: 0 });
    add(group(8, 7, 'a'), group(9, 0, 'a'), group(9, 1, 'a'));
    await sent(3);
    expect(target.written.at(-1)).toBe('9.1 a=0');
  });

  it('sends the rest when its target has failed for the moment, and nothing twice', async () => {
    await outbox.startSending();
    target.held = true;
    add(group(1, 0, 'a'), group(2, 0, 'a'));
    target.fail(new AppError('log-unreachable', 'the brokers are gone', { retriable: true }));
    await expect.poll(() => target.opened).toBe(2);
    target.held = false;
    add(group(3, 0, 'a'));
    await sent(3);
    expect(target.written).toEqual(['1.0 a=0', '2.0 a=0', '3.0 a=0']);
  });

  it('may stop sending at any time, and goes on where it stopped', async () => {
    await outbox.startSending();
    add(group(1, 0, 'a'));
    await sent(1);
    await outbox.stopSending();
    add(group(2, 0, 'a'));
    expect(outbox.status).toMatchObject({ sending: false, entries: 2 });
    await outbox.startSending();
    await sent(2);
  });

  it('is full over its bound, and has room again when what is out was dropped', async () => {
    outbox = openOutbox(200);
    expect(outbox.full).toBe(false);
    for (let seq = 1; !outbox.full; seq++) add(group(seq, 0, 'a'));
    const { bytes } = outbox.status;
    expect(bytes).toBeGreaterThanOrEqual(200);
    expect(bytes).toBeLessThan(250);
    await outbox.startSending();
    await expect.poll(() => outbox.drop() || !outbox.full).toBe(true);
    await expect.poll(() => (outbox.drop(), outbox.full)).toBe(false);
  });

  it('leaves a refused topic out up to the append that says so, and sends the others of the same groups', async () => {
    target.gone.add('b');
    refusedUpTo = 2;
    add(group(1, 0, 'a', 'b', 'c'), group(2, 0, 'b'), group(2, 1, 'c'));
    await outbox.startSending();
    await sent(3);
    expect(target.written).toEqual(['1.0 a=0', '1.0 c=2', '2.1 c=0']);
    expect(refused).toEqual(['b']);
    target.gone.clear();
    add(group(3, 0, 'b', 'a'));
    await sent(5);
    expect(target.written.slice(3)).toEqual(['3.0 b=0', '3.0 a=1']);
    // Also where everything is opened anew.
    await outbox.stopSending();
    target.position = nothingDerived;
    target.written.length = 0;
    outbox = openOutbox();
    await outbox.startSending();
    await sent(5);
    expect(target.written[0]).toBe('1.0 a=0');
  });

  it('holds a hundred thousand groups without a call that takes them all', async () => {
    database.transaction(() => outbox.add(Array.from({ length: 150_000 }, (_, i) => group(i + 1, 0, 'a'))));
    outbox = openOutbox();
    expect(outbox.status.entries).toBe(150_000);
    target.position = { seq: 149_999, piece: 0 };
    await outbox.startSending();
    await sent(1);
    let steps = 0;
    while (outbox.drop()) steps++;
    expect(outbox.status.entries).toBe(0);
    expect(steps).toBeGreaterThanOrEqual(150);
  });
});

describe('an outbox of an earlier version', () => {
  const base64 = (array: {
    readonly buffer: ArrayBufferLike;
    readonly byteOffset: number;
    readonly byteLength: number;
  }) => Buffer.from(array.buffer as ArrayBuffer, array.byteOffset, array.byteLength).toString('base64');
  const put = (state: ReturnType<typeof openStateStore>, number: number, topic: string) => {
    const { commitTimeUs, records } = group(number, 0, topic);
    const entry = {
      commitTimeUs,
      topics: records.topics,
      count: records.count,
      data: records.buffers[0]!.toString('base64'),
      extents: base64(records.extents),
      timestamps: base64(records.timestamps!),
    };
    state.putDocument('outbox', String(number).padStart(16, '0'), JSON.stringify(entry));
  };

  it('is taken over with new numbers behind what the folder has applied, without what is out', async () => {
    const state = openStateStore(database, { logId: 'l' });
    state.transaction(() => [3, 4, 5].forEach((number) => put(state, number, `t${number}`)), {
      ...state.frontier,
      seq: 40,
    });
    upgradeOutbox(state, store, { kind: 'earlier', number: 3 }, 'svc');
    expect(state.documents('outbox')).toEqual([]);
    add(group(41, 0, 'new'));
    await outbox.startSending();
    await sent(3);
    expect(target.written).toEqual(['40.0 t4=0', '40.1 t5=0', '41.0 new=0']);
  });

  it('is refused to a folder that begins with this log: it cannot tell what is out', () => {
    const state = openStateStore(database, { logId: 'l' });
    expect(() => upgradeOutbox(state, store, { kind: 'earlier', number: 3 }, 'svc')).toThrow(
      /numbered by an earlier version/,
    );
  });
});
