// What a source says of itself, thinned out on its way to the main thread: at once what makes a table less fresh (a new phase, the end
// of a rest) and what confirms it, which comes at most some twenty times a second by itself; the rest, as the progress of a snapshot, at
// most every 100 ms, the newest always in the end.
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
    const sent = this.#sent?.state;
    const { state, confirmed } = report;
    const ends = sent?.caughtUp === true && state.caughtUp !== true;
    if (confirmed !== undefined || ends || sent?.phase !== state.phase) this.#flush();
    else if (state.snapshot !== undefined || state.reason !== sent?.reason) {
      // Unref: a thread that is done ends, whatever it still had to say.
      this.#timer ??= setTimeout(() => this.#flush(), intervalMs).unref();
    }
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#sent = this.#newest!;
    this.#send(this.#sent);
  }
}
