// Hostile requests without end, against a process with a small heap and few file descriptors, beside a source that writes, a reader of one
// row and a subscriber. It has to stay up, to answer the row within a second, to refuse what it refuses with a code that is no bug of
// ours, and to come back after kill -9, whatever it has taken by then. Each kind of failure is told once, with the request that showed it.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openApp, type App } from '../../support/harness/app-process.js';
import { createDice, type Dice } from '../../support/harness/dice.js';
import { percentile, type Figures } from '../../support/harness/figures.js';
import { request, requestJson } from '../../support/harness/http-client.js';
import { waitForTables } from '../../support/harness/progress.js';
import { waitFor } from '../../support/harness/wait-for.js';
import { Database } from '../../support/sqlite-driver.js';
import { anyBytes, anyRequest, type Described, type HostileRequest, type HostileTarget } from './requests.js';

export interface HostileOptions {
  readonly seed: number;
  readonly requests: number;
  readonly kills: number;
  /** MB of the heap of each thread. */
  readonly heapMb: number;
  /** File descriptors. */
  readonly files: number;
  readonly kafka?: { readonly brokers: readonly string[] } | undefined;
  /** Where requests that showed a failure are written, whole. */
  readonly keep?: string | undefined;
  readonly tell: (line: string) => void;
}

const lanes = 6;
/** A push query, or a long read: what the client waits for at most before it goes. */
const patienceMs = 3_000;
const probeMs = 100;
const probeMost = 1_000;

export async function runHostile(options: HostileOptions): Promise<Figures> {
  const { seed, heapMb, files, kafka, kills, requests, tell } = options;
  const dice = createDice(seed);
  const app = await openApp({
    args: kafka === undefined ? [] : ['--stream', `kafka://${kafka.brokers.join(',')}`],
    env: { NODE_OPTIONS: `--max-old-space-size=${heapMb}`, WRITETHROUGH_SERVICE_ID: `hostile-${seed}` },
    filesMax: files,
  });
  const file = join(app.dir, 'shop.db');
  const writer = openWriter(file, dice.fork('rows'));
  const servers = await Promise.all([mute(), garbage(dice.fork('servers')), endless()]);
  const run = new Run(app, options, dice);
  try {
    await app.start();
    await requestJson(`${app.url}/connectors`, {
      body: {
        name: 'shop',
        config: { 'connector.class': 'SqliteCdcSource', 'database.file': file, 'topic.prefix': 'shop' },
      },
    });
    await waitForTables(app.url, [{ name: 'orders' }]);
    const described = await requestJson<Described>(`${app.url}/openapi.json`);
    const target: HostileTarget = {
      described,
      file,
      ports: servers.map((server) => (server.address() as AddressInfo).port),
    };
    run.watch();
    for (let part = 0; part <= kills; part++) {
      await run.requests(target, Math.ceil(requests / (kills + 1)));
      if (part === kills) break;
      await run.restart();
      tell(`kill ${part + 1}: ${run.told()}`);
    }
    await run.restart();
    return run.figures();
  } finally {
    run.stop();
    writer.close();
    for (const server of servers) server.close();
    await app.close();
  }
}

class Run {
  readonly #app: App;
  readonly #options: HostileOptions;
  readonly #dice: Dice;
  readonly #statuses = new Map<string, number>();
  readonly #failures = new Map<string, number>();
  readonly #probesMs: number[] = [];
  #rssMost = 0;
  #sent = 0;
  #watching = true;
  #restarting = true;

  constructor(app: App, options: HostileOptions, dice: Dice) {
    this.#app = app;
    this.#options = options;
    this.#dice = dice;
  }

  /** The reader of one row, and the sampler of memory. */
  watch(): void {
    this.#restarting = false;
    void (async () => {
      while (this.#watching) {
        await sleep(probeMs);
        if (this.#restarting || !this.#app.running) continue;
        const begun = performance.now();
        const read = () => request(`${this.#app.url}/v1/tables/orders/rows/1`, { timeoutMs: 10_000 });
        // A connection that was idle may be closed, for want of descriptors, in the moment in which it is used again.
        const answer = await read()
          .catch(read)
          .catch((error: unknown) => ({ status: 0, text: String(error) }));
        if (this.#restarting) continue;
        const ms = performance.now() - begun;
        this.#probesMs.push(ms);
        if (answer.status !== 200) this.#failed(`point read: ${answer.status} ${answer.text.slice(0, 120)}`);
        else if (ms > probeMost) this.#failed(`point read over ${probeMost} ms`, undefined, `${ms.toFixed(0)} ms`);
        if (this.#app.pid !== undefined) this.#rssMost = Math.max(this.#rssMost, residentMb(this.#app.pid));
      }
    })();
  }

  stop(): void {
    this.#watching = false;
  }

  async requests(target: HostileTarget, count: number): Promise<void> {
    let left = count;
    const lane = async (dice: Dice): Promise<void> => {
      while (left-- > 0) {
        if (!this.#app.running) throw new Error(`the process has ended: ${[...this.#failures.keys()].join('; ')}`);
        if (dice.chance(0.03)) await this.#bytes(anyBytes(dice));
        else await this.#send(anyRequest(dice, target));
        this.#sent++;
      }
    };
    await Promise.all(Array.from({ length: lanes }, (_, i) => lane(this.#dice.fork(`lane ${i} ${this.#sent}`))));
  }

  async restart(): Promise<void> {
    this.#restarting = true;
    await this.#app.kill();
    const begun = performance.now();
    // It is not ready, in its own words, while a connector is not: one of ours leads nowhere.
    await this.#app.start({ waitReady: false });
    await waitFor('the first point read', async () => {
      if (!this.#app.running) throw new Error('the process ended when it was started again');
      return (await request(`${this.#app.url}/v1/tables/orders/rows/1`)).status === 200;
    });
    const ms = performance.now() - begun;
    if (ms > 20_000) this.#failed('start over 20 s', undefined, `${ms.toFixed(0)} ms`);
    this.#restarting = false;
  }

  async #send(asked: HostileRequest): Promise<void> {
    const begun = performance.now();
    const { status, text } = await fire(`${this.#app.url}${asked.path}`, asked);
    const ms = performance.now() - begun;
    const code = codeOf(text);
    const kind = `${status} ${code}`;
    this.#statuses.set(kind, (this.#statuses.get(kind) ?? 0) + 1);
    if (status === 500 || (status >= 400 && code === 'internal'))
      this.#failed(`internal: ${messageOf(text)}`, asked, text);
    if (status !== 0 && ms > 2 * patienceMs) this.#failed(`an answer after ${Math.round(ms / 1000)} s`, asked, text);
  }

  #bytes(bytes: Buffer): Promise<void> {
    return new Promise((resolve) => {
      const socket = connect(Number(new URL(this.#app.url).port), '127.0.0.1');
      const timer = setTimeout(() => socket.destroy(), 300);
      socket.on('error', () => {});
      socket.on('close', () => {
        clearTimeout(timer);
        resolve();
      });
      socket.on('data', () => {});
      socket.write(bytes);
    });
  }

  #failed(kind: string, asked?: HostileRequest, more = ''): void {
    const count = this.#failures.get(kind) ?? 0;
    this.#failures.set(kind, count + 1);
    if (count > 0) return;
    const { keep, tell } = this.#options;
    const shown =
      asked === undefined ? '' : ` ${asked.method} ${asked.path.slice(0, 200)} ${asked.body?.slice(0, 300) ?? ''}`;
    tell(`FAILED ${kind} ${more.slice(0, 300)}${shown}`);
    if (keep === undefined || asked === undefined) return;
    mkdirSync(keep, { recursive: true });
    writeFileSync(join(keep, `${this.#failures.size}.json`), JSON.stringify({ kind, more, asked }, undefined, 1));
  }

  told(): string {
    return `${this.#sent} requests, point reads p99 ${percentile(this.#probesMs, 0.99).toFixed(0)} ms, most ${Math.max(...this.#probesMs).toFixed(0)} ms, RSS at most ${Math.round(this.#rssMost)} MB`;
  }

  /** Throws where something was not as it has to be. */
  figures(): Figures {
    if (this.#failures.size > 0) {
      const list = [...this.#failures].map(([kind, count]) => `${count} x ${kind}`);
      throw new Error(`${this.told()}\n${list.join('\n')}`);
    }
    const answers = [...this.#statuses].toSorted(([, one], [, other]) => other - one).slice(0, 25);
    return {
      requests: this.#sent,
      'point reads': this.#probesMs.length,
      'point read p99 ms': percentile(this.#probesMs, 0.99),
      'point read most ms': Math.max(...this.#probesMs),
      'RSS most MB': Math.round(this.#rssMost),
      ...Object.fromEntries(answers),
    };
  }
}

/** Of a process that may just have ended: then 0. */
function residentMb(pid: number): number {
  try {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}

/** The first megabyte of the answer; a client that loses its patience goes. */
function fire(url: string, { body, headers, method }: HostileRequest): Promise<{ status: number; text: string }> {
  return new Promise((resolve) => {
    let status = 0;
    let text = '';
    const done = (): void => {
      clearTimeout(timer);
      sent.destroy();
      resolve({ status, text });
    };
    const sent = httpRequest(url, { method, headers, agent: false }, (response) => {
      status = response.statusCode ?? 0;
      response.setEncoding('utf8');
      response.on('data', (part: string) => {
        text += part;
        if (text.length > 1_048_576) done();
      });
      response.on('end', done);
      response.on('error', done);
    });
    const timer = setTimeout(done, patienceMs);
    sent.on('error', done);
    sent.end(body);
  });
}

function codeOf(text: string): string {
  return /"(?:code|error_code)":("[^"]*"|\d+)/.exec(text)?.[1]?.replaceAll('"', '') ?? '';
}

/** Numbers and quoted parts taken out, so that one fault is one kind. */
function messageOf(text: string): string {
  const message = /"(?:detail|message)":"((?:[^"\\]|\\.)*)"/.exec(text)?.[1] ?? text;
  return message.slice(0, 200).replaceAll(/\d+/g, 'N');
}

function openWriter(file: string, dice: Dice): { close: () => void } {
  const database = new Database(file);
  database.pragma('journal_mode = WAL');
  database.exec(`CREATE TABLE orders (id INTEGER PRIMARY KEY, name TEXT, amount DECIMAL(10,2), note TEXT);
    CREATE TABLE items (id INTEGER PRIMARY KEY, n INTEGER)`);
  const put = database.prepare('INSERT OR REPLACE INTO orders VALUES (?, ?, ?, ?)');
  for (let id = 1; id <= 500; id++) put.run(id, `name e ${id}`, id / 4, 'x'.repeat(100));
  const timer = setInterval(() => {
    put.run(
      dice.between(1, 500),
      `name e ${dice.between(0, 99)}`,
      dice.between(0, 400) / 4,
      'y'.repeat(dice.between(0, 200)),
    );
  }, 20);
  return {
    close: () => {
      clearInterval(timer);
      database.close();
    },
  };
}

/** Accepts, and says nothing. */
const mute = (): Promise<Server> => listening(() => {});

const garbage = (dice: Dice): Promise<Server> =>
  listening((socket) =>
    socket.end(Buffer.from(Array.from({ length: dice.between(1, 300) }, () => dice.between(0, 255)))),
  );

/** One packet without end. */
const endless = (): Promise<Server> =>
  listening((socket) => {
    const part = Buffer.alloc(65_536, 1);
    part.writeUIntLE(0xffffff, 0, 3);
    const more = (): void => {
      while (!socket.destroyed && socket.write(part));
    };
    socket.on('drain', more);
    more();
  });

function listening(take: (socket: Socket) => void): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    take(socket);
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(server));
  });
}
