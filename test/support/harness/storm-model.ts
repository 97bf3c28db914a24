// What the statements of a storm come to when they are run one after the other.
import { stormSource, type Step } from './storm-step.js';

/** What there is, and what a statement comes to. */
export class StormModel {
  /** name -> the name that it reads, for derived ones. */
  readonly sources = new Map<string, string | null>();
  readonly topics = new Set<string>();

  /** `ok`, `left-alone`, `absent` (a drop of nothing) or the code of the refusal. */
  outcome(step: Step): string {
    const there = this.sources.has(step.name);
    switch (step.kind) {
      case 'insert':
        return there ? 'ok' : 'unknown-table';
      case 'drop':
        if (!there) return step.lenient ? 'absent' : 'unknown-table';
        return [...this.sources.values()].includes(step.name) ? 'invalid-statement' : 'ok';
      case 'create-as':
        if (step.source !== stormSource && !this.sources.has(step.source!)) return 'unknown-table';
        if (there) return step.lenient ? 'left-alone' : 'already-exists';
        return 'ok';
      case 'create-source':
        if (!there || step.orReplace === true) return 'ok';
        return step.lenient ? 'left-alone' : 'already-exists';
    }
  }

  copy(): StormModel {
    const copy = new StormModel();
    for (const [name, source] of this.sources) copy.sources.set(name, source);
    for (const topic of this.topics) copy.topics.add(topic);
    return copy;
  }

  /** Each name, of a derived one with what it reads. */
  get catalogue(): readonly string[] {
    return [...this.sources].map(([name, source]) => printSource(name, source)).toSorted();
  }

  /** Equal for models that stand for the same. */
  get key(): string {
    return `${this.catalogue.join()}|${[...this.topics].toSorted().join()}`;
  }

  take(step: Step): void {
    const { name, kind } = step;
    if (kind === 'drop' && this.sources.delete(name) && step.deleteTopic === true) this.topics.delete(name);
    if (kind !== 'create-as' && kind !== 'create-source') return;
    if (!this.sources.has(name)) this.sources.set(name, step.source ?? null);
    this.topics.add(name);
  }
}

/** `d1 over s2`, or only the name of one that is not derived. */
export function printSource(name: string, reads: string | null | undefined): string {
  return typeof reads === 'string' ? `${name} over ${reads}` : name;
}
