// Whether what clients were told of a name fits one order (linearizability, per name): the name is there or not, CREATE and DROP change
// it, and each took effect at one moment between its call and its answer. A call whose process died may take effect until the next look.
export interface NameCall {
  readonly name: string;
  readonly kind: 'create' | 'drop';
}

/** A world that the answers so far allow: is the name there, and which open calls have taken effect, with the answer that they will give. */
interface Possible {
  readonly there: boolean;
  readonly effects: ReadonlyMap<NameCall, 'ok' | 'already-exists' | 'unknown-table'>;
}

export class NameHistory {
  readonly #possible = new Map<string, Possible[]>();
  readonly #open = new Set<NameCall>();
  readonly #breach: (text: string) => void;

  constructor(names: readonly string[], breach: (text: string) => void) {
    for (const name of names) this.#possible.set(name, [{ there: false, effects: new Map() }]);
    this.#breach = breach;
  }

  called(name: string, kind: NameCall['kind']): NameCall {
    const call = { name, kind };
    this.#open.add(call);
    return call;
  }

  /** Refusals for other reasons changed nothing, whatever the name was. */
  answered(call: NameCall, code: string): void {
    const decided = code === 'ok' || (call.kind === 'create' ? code === 'already-exists' : code === 'unknown-table');
    const worlds = this.#spread(call.name);
    this.#open.delete(call);
    const left = worlds.flatMap((world) => {
      const effect = world.effects.get(call);
      if (decided ? effect !== code : effect !== undefined) return [];
      const effects = new Map(world.effects);
      effects.delete(call);
      return [{ ...world, effects }];
    });
    this.#keep(call.name, left, `${call.kind} ${call.name} was answered ${code}, which no order allows`);
  }

  /** Looked at while nobody waits for an answer: what was called before and never answered has happened by now, or never will. */
  seen(there: (name: string) => boolean): void {
    for (const name of this.#possible.keys()) {
      const worlds = this.#spread(name).filter((world) => world.there === there(name));
      this.#keep(
        name,
        worlds.map((world) => ({ there: world.there, effects: new Map() })),
        `${name} is ${there(name) ? '' : 'not '}there, which no order allows`,
      );
    }
    this.#open.clear();
  }

  #keep(name: string, worlds: readonly Possible[], otherwise: string): void {
    if (worlds.length === 0) this.#breach(otherwise);
    const distinct = new Map(
      worlds.map((world) => [`${world.there} ${[...this.#open].map((call) => world.effects.get(call)).join()}`, world]),
    );
    this.#possible.set(
      name,
      worlds.length === 0
        ? [
            { there: true, effects: new Map() },
            { there: false, effects: new Map() },
          ]
        : [...distinct.values()],
    );
  }

  /** All worlds in which some of the open calls have taken effect meanwhile. */
  #spread(name: string): Possible[] {
    const found = new Map<string, Possible>();
    const open = [...this.#open].filter((call) => call.name === name);
    const visit = (world: Possible): void => {
      const id = `${world.there} ${open.map((call) => world.effects.get(call)).join()}`;
      if (found.has(id)) return;
      found.set(id, world);
      for (const call of open) {
        if (world.effects.has(call)) continue;
        const refused = call.kind === 'create' ? world.there : !world.there;
        const effect = refused ? (call.kind === 'create' ? 'already-exists' : 'unknown-table') : 'ok';
        visit({ there: refused ? world.there : !world.there, effects: new Map([...world.effects, [call, effect]]) });
      }
    };
    for (const world of this.#possible.get(name)!) visit(world);
    return [...found.values()];
  }
}
