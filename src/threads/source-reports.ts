// What a source says of itself, thinned out on its way to the main thread: a new phase at once, anything else at most every 100 ms, the
// newest always in the end.
import type { SourceReport } from '../source/source-connector.js';

const intervalMs = 100;

export class SourceReports {
  readonly #send: (report: SourceReport) => void;
  #sent: SourceReport | undefined;
  #newest: SourceReport | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(send: (report: SourceReport) => void) {
    this.#send = send;
  }

  tell(report: SourceReport): void {
    this.#newest = report;
    if (this.#sent?.state.phase !== report.state.phase) this.#flush();
    else if (this.#timer === undefined && !this.#isSent(report)) {
      // Unref: a thread that is done ends, whatever it still had to say.
      this.#timer = setTimeout(() => this.#flush(), intervalMs).unref();
    }
  }

  /** A source that rests says the same again and again. */
  #isSent({ state, position }: SourceReport): boolean {
    const sent = this.#sent!;
    return state.caughtUp === true && sent.state.caughtUp === true && sent.position === position;
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const report = this.#newest!;
    if (this.#sent !== undefined && this.#isSent(report)) return;
    this.#sent = report;
    this.#send(report);
  }
}
