// A program that embeds the service, and what it hears when a part of it comes to its end. Run by failures.test.ts with the built program, a folder and
// the part: `disk` (the files of this process have a limit, see there), or a thread's file name, which is ended here. Prints what it
// heard as one JSON line.
import { createRequire, syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';

const [dist, folder, part] = process.argv.slice(2);
const load = (path) => import(pathToFileURL(join(dist, path)).href);
const threads = createRequire(import.meta.url)('node:worker_threads');

const started = [];
threads.Worker = class extends threads.Worker {
  constructor(url, options) {
    super(url, options);
    started.push({ name: String(url), thread: this });
  }
};
syncBuiltinESMExports();
const threadOf = (name) => started.findLast((each) => each.name.endsWith(`/${name}.js`))?.thread;
const { createWritethrough } = await load('index.js');
const { Database } = await load('sqlite/driver.js');

async function until(what, condition) {
  for (const deadline = Date.now() + 60_000; !(await condition()); await delay(20)) {
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what}`);
  }
}

const app = new Database(join(folder, 'app.db'));
app.pragma('journal_mode = WAL');
app.exec('CREATE TABLE items (id INTEGER PRIMARY KEY, text TEXT)');
const insert = app.prepare('INSERT OR REPLACE INTO items VALUES (?, ?)');
const write = app.transaction((round) => {
  for (let id = 1; id <= 500; id++) insert.run(id, String(round).padEnd(1000, 'x'));
});
write(0);

const errors = [];
const heard = { failures: [] };
const service = createWritethrough({
  source: `sqlite:${join(folder, 'app.db')}`,
  data: join(folder, 'data'),
  port: 0,
  onLog: (level, message) => level === 'error' && errors.push(message),
  onFailed: ({ code }) => heard.failures.push(code),
});
await service.start();
await service.whenReadable('items');

const codeOf = async (call) => {
  try {
    await call();
    return 'ok';
  } catch (error) {
    return error.code ?? String(error);
  }
};
const read = () => service.read([{ table: 'items', where: [], limit: 1 }]);
const { url } = service;
const status = async (path) => (await fetch(url + path)).status;
const subscription = codeOf(async () => {
  const { signal } = new AbortController();
  for await (const batch of service.subscribe({ table: 'items', snapshot: false, signal })) void batch;
});

let round = 1;
const isApplied = async () => service.pull('items', '500')?.text.startsWith(`${round}x`);
if (part === 'disk') {
  write(round);
  await until('the failure', async () => {
    if (heard.failures.length > 0) return true;
    // Only what was read makes room in the source's file, which has the same limit and must not meet it first.
    if (await isApplied().catch(() => false)) write(++round);
    return false;
  });
} else {
  write(round);
  await until('the row', isApplied);
  await codeOf(read);
  await until('the thread', () => threadOf(part) !== undefined);
  await threadOf(part).terminate();
  if (part === 'engine') await until('the failure', () => heard.failures.length > 0);
  else {
    await until('the line in the log', () => errors.length > 0);
    await codeOf(read);
    write(++round);
    await until('the row', isApplied);
    await until('another thread', () => started.filter(({ name }) => name.endsWith(`/${part}.js`)).length > 1);
  }
}
const failed = heard.failures.length > 0;
if (failed) {
  heard.subscription = await subscription;
  heard.failure = service.failure?.code;
}
heard.pull = await codeOf(() => service.pull('items', '1'));
heard.read = await codeOf(read);
heard.execute = await codeOf(() => service.execute('SHOW TABLES;'));
heard.whenReadable = await codeOf(() => service.whenReadable('nothing', 100));
heard.probes = [await status('/livez'), await status('/readyz')];
heard.row = await status('/v1/tables/items/rows/1');
heard.stop = await codeOf(() => service.stop());
heard.errors = [...new Set(errors)];
app.close();
process.stdout.write(`${JSON.stringify(heard)}\n`);
