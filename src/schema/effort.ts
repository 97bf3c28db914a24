// What the reading and comparing of schemas may cost. Both happen where the sequence is applied, so nothing else goes on meanwhile; the
// cost is counted in steps and not in time, since what one process takes the others have to take, too.
import { bounds } from '../core/bounds.js';
import { AppError } from '../core/errors.js';

const charactersPerStep = 10;

export class Effort {
  #left: number;

  constructor(steps: number = bounds.schemaSteps.value) {
    this.#left = steps;
  }

  /** For what is registered already and has to be read, and for schemas of our own, which are as large as their tables. */
  static unbounded(): Effort {
    return new Effort(Infinity);
  }

  /** Before the text of a new schema is read. */
  admit(text: string): void {
    const max = bounds.schemaSize.value;
    if (text.length <= max || this.#left === Infinity) return;
    throw new AppError('invalid-schema', `the schema has more than ${max} characters`);
  }

  spend(steps: number): void {
    this.#left -= steps;
    if (this.#left >= 0) return;
    throw new AppError('invalid-schema', 'the schemas are too large to be compared', {
      detail: `it would take more than ${bounds.schemaSteps.value} steps (a type, a field, or ${charactersPerStep} characters of text)`,
      hint: 'a level that is not transitive compares with the newest version alone',
    });
  }

  /** Of text that is parsed. */
  spendText(text: string): void {
    this.spend(Math.ceil(text.length / charactersPerStep));
  }
}

/** The value of a JSON text that is small and flat enough to be walked; `what` names it. */
export function readJson(text: string, what: string, effort: Effort): unknown {
  effort.spendText(text);
  assertDepth(text, what);
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new AppError('invalid-schema', `${what} is not JSON`, {
      detail: error instanceof Error ? error.message.slice(0, 500) : String(error),
      cause: error,
    });
  }
}

/** Throws too: what is no JSON may be counted wrongly here, and is refused behind it in any case. */
function assertDepth(text: string, what: string): void {
  const max = bounds.schemaDepth.value;
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case 0x22:
        for (i++; i < text.length && text.charCodeAt(i) !== 0x22; i++) if (text.charCodeAt(i) === 0x5c) i++;
        break;
      case 0x5b:
      case 0x7b:
        if (++depth > max) throw new AppError('invalid-schema', `${what} is nested more than ${max} deep`);
        break;
      case 0x5d:
      case 0x7d:
        depth--;
        break;
    }
  }
}
