// Entry of the demo's writer process: the application that keeps changing its own database, and knows nothing of us. About five
// transactions a second, until the process that started it ends.
// Arguments: the file, and optionally the seed.
import { openDatabase } from '../sqlite/database.js';
import { changeSomething } from './changes.js';
import { createRandom } from './random.js';

const pauseMs = 200;

const [file, seed = String(Date.now())] = process.argv.slice(2);
if (file === undefined) {
  console.error('usage: writer FILE [SEED]');
  process.exit(2);
}

const parent = process.ppid;
const random = createRandom(Number(seed));
const database = openDatabase(file, { foreign: true });

function step(): void {
  // The channel closes with the parent; without one, its death shows in our being given another parent.
  if (process.ppid !== parent) return stop();
  changeSomething(database, random);
  timer = setTimeout(step, pauseMs / 2 + random.below(pauseMs));
}

function stop(): void {
  clearTimeout(timer);
  database.close();
  process.exit(0);
}

let timer = setTimeout(step, pauseMs);
process.on('disconnect', stop);
process.on('SIGTERM', stop);
// It may have closed before we listened.
if (process.send !== undefined && !process.connected) stop();
