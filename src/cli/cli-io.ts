// What the commands use of the terminal and the process, so that tests can stand in for it.
import { createInterface } from 'node:readline/promises';

export interface CliIo {
  /** Text for stdout, as it is. */
  readonly out: (text: string) => void;
  /** Text for stderr: progress and errors. */
  readonly err: (text: string) => void;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** One line from the user; empty at the end of the input. */
  readonly ask: (question: string) => Promise<string>;
  /** stderr is a terminal: progress may rewrite its line. */
  readonly interactive: boolean;
  /** Aborts on Ctrl-C, for commands that go on until then. */
  readonly signal: () => AbortSignal;
}

/** The command has said all that there is to say, and ends with this. */
export class ExitStatus extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`exit status ${status}`);
    this.status = status;
  }
}

export const processIo: CliIo = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  env: process.env,
  async ask(question) {
    const reader = createInterface({ input: process.stdin, output: process.stderr });
    try {
      return await Promise.race([
        reader.question(question),
        new Promise<string>((end) => reader.once('close', () => end(''))),
      ]);
    } finally {
      reader.close();
    }
  },
  interactive: process.stderr.isTTY,
  signal() {
    const stop = new AbortController();
    process.once('SIGINT', () => stop.abort());
    process.once('SIGTERM', () => stop.abort());
    return stop.signal;
  },
};
