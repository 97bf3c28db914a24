// What a check of the data file comes to: parts one after another, and what was found in them.

export interface CheckFinding {
  /** The place, as a sentence's subject. */
  readonly what: string;
  readonly repair?: string | undefined;
  /** The table that it is about. */
  readonly table?: string | undefined;
}

export interface CheckedPart {
  readonly name: string;
  /** Rows whose checksum fits. */
  checked: number;
  /** Rows of an earlier version, which have none. */
  unchecked: number;
  /** Rows, or the part as a whole, that are not what was written. */
  damaged: number;
}

/** Told of a part: few are shown where everything is broken. */
const findingsPerPart = 100;

export class CheckReport {
  readonly parts: CheckedPart[] = [];
  readonly findings: CheckFinding[] = [];
  readonly #onProgress: (part: CheckedPart) => void;

  constructor(onProgress: (part: CheckedPart) => void = () => {}) {
    this.#onProgress = onProgress;
  }

  begin(name: string): void {
    this.parts.push({ name, checked: 0, unchecked: 0, damaged: 0 });
    this.#onProgress(this.#part);
  }

  get #part(): CheckedPart {
    return this.parts.at(-1)!;
  }

  row(hasChecksum: boolean): void {
    const part = this.#part;
    if (hasChecksum) part.checked++;
    else part.unchecked++;
    if ((part.checked + part.unchecked) % 10_000 === 0) this.#onProgress(part);
  }

  finding(finding: CheckFinding): void {
    const part = this.#part;
    if (++part.damaged <= findingsPerPart) this.findings.push(finding);
  }

  get damaged(): number {
    return this.parts.reduce((sum, { damaged }) => sum + damaged, 0);
  }
}
