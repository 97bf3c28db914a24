// Definitions on their way into the sequence. Each is one append; the caller gets what applying it came to. Where others can make topics
// too (Kafka), those for one topic take turns, so that what one of them says of it is still so when it is applied, and the answer waits
// until the topic stands as it is wanted.
import { nameKey } from '../core/names.js';
import { assert } from '../core/errors.js';
import type { SeenTopic } from '../projector/defined-topics.js';
import { encodeDefinition, type Definition, type DefinitionResult } from '../projector/definition.js';
import type { EngineTopics } from './engine-topics.js';
import type { LocalAppends } from './local-appends.js';

export interface DefinitionAppendsEnv {
  readonly local: LocalAppends;
  /** The topic of definitions. */
  readonly topic: string;
  readonly topics: EngineTopics;
  readonly nowUs: () => number;
}

/** What those who append know of topics, by name. */
export type SeenTopics = Readonly<Record<string, SeenTopic>>;

export class DefinitionAppends {
  readonly #env: DefinitionAppendsEnv;
  /** By topic: the last that waits for its turn. */
  readonly #turns = new Map<string, Promise<unknown>>();
  readonly #inFlight = new Set<{ readonly source: string; readonly done: Promise<unknown> }>();

  #onApplied: () => void = () => {};

  constructor(env: DefinitionAppendsEnv) {
    this.#env = env;
  }

  /** Called whenever a definition has been applied. */
  onApplied(listener: () => void): void {
    this.#onApplied = listener;
  }

  /** Rejects with what it was refused with. */
  async append(definition: Definition): Promise<DefinitionResult> {
    const { local, topic, nowUs } = this.#env;
    const record = { topic, partition: 0, key: null, value: encodeDefinition(definition) };
    const { outcome } = await local.append({ records: [record], commitTimeUs: nowUs() });
    assert(outcome, 'a definition was applied without an outcome');
    if (!outcome.ok) throw outcome.error;
    this.#onApplied();
    return outcome.result;
  }

  /** Of a stream or table, with its topics if they are known; `definitionOf` is called when it is its turn, with nothing awaited behind it. */
  async appendFor(
    source: string | null,
    topics: readonly string[],
    definitionOf: (seen: SeenTopics) => Definition,
  ): Promise<DefinitionResult> {
    const done = this.#env.topics.shared
      ? this.#inTurn(topics, () => this.#appendSeen(source, topics, definitionOf))
      : this.#tracked(source, this.append(definitionOf({})));
    return done;
  }

  async #appendSeen(
    source: string | null,
    names: readonly string[],
    definitionOf: (seen: SeenTopics) => Definition,
  ): Promise<DefinitionResult> {
    const { topics } = this.#env;
    const seen: [string, SeenTopic][] = [];
    for (const name of names) {
      const found = await topics.see(name);
      if (found) seen.push([name, found]);
    }
    const result = await this.#tracked(source, this.append(definitionOf(Object.fromEntries(seen))));
    for (const name of names) await topics.ready(name);
    return result;
  }

  /** Every definition of this stream or table that was appended until now is applied. */
  async settled(source: string): Promise<void> {
    for (;;) {
      const pending = this.#pending(source);
      if (pending.length === 0) return;
      await Promise.allSettled(pending.map(({ done }) => done));
    }
  }

  isSettled(source: string): boolean {
    return this.#pending(source).length === 0;
  }

  #pending(source: string) {
    return [...this.#inFlight].filter((each) => each.source === nameKey(source));
  }

  async #tracked<T>(source: string | null, done: Promise<T>): Promise<T> {
    if (source === null) return done;
    const entry = { source: nameKey(source), done };
    this.#inFlight.add(entry);
    try {
      return await done;
    } finally {
      this.#inFlight.delete(entry);
    }
  }

  /** In the order of names, so that no two wait for each other. */
  #inTurn<T>(topics: readonly string[], step: () => Promise<T>): Promise<T> {
    const [first, ...rest] = topics.toSorted();
    if (first === undefined) return step();
    const before = this.#turns.get(first) ?? Promise.resolve();
    const turn = before.then(() => this.#inTurn(rest, step));
    const ended = turn.then(
      () => {},
      () => {},
    );
    this.#turns.set(first, ended);
    void ended.then(() => {
      if (this.#turns.get(first) === ended) this.#turns.delete(first);
    });
    return turn;
  }
}
