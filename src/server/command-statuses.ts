// Remembers what became of the last commands, for ksqlDB's GET /status. Forgotten at a restart, as a 404 then says.
import type { StatementEntity } from './ksql-entities.js';

const commandsKept = 1_000;

export class CommandStatuses {
  readonly #byId = new Map<string, unknown>();

  remember(entities: readonly StatementEntity[]): void {
    for (const entity of entities) {
      const id = entity['commandId'];
      if (typeof id !== 'string') continue;
      this.#byId.delete(id);
      this.#byId.set(id, entity['commandStatus']);
      if (this.#byId.size > commandsKept) this.#byId.delete(this.#byId.keys().next().value!);
    }
  }
  get(id: string): unknown {
    return this.#byId.get(id);
  }
  all(): Record<string, unknown> {
    return Object.fromEntries(
      [...this.#byId].map(([id, status]) => [id, (status as { status?: unknown } | undefined)?.status]),
    );
  }
}
