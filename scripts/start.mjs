// `npm start`: builds when that is needed, then is the program, in one process. npm passes a signal only to the shell that it has
// started, and most shells die of it without passing it on; the program would be left behind, holding port and lock. So it
// ends in order when its parent is gone. (`exec` in the script would spare the look, but the shell of Windows does not know it.)
import { fileURLToPath } from 'node:url';

const parent = process.ppid;
const watch = setInterval(() => {
  if (process.ppid === parent) return;
  clearInterval(watch);
  process.kill(process.pid, 'SIGTERM');
}, 250).unref();

await import('./build.mjs');
const main = new URL('../dist/main.js', import.meta.url);
process.argv[1] = fileURLToPath(main);
await import(main.href);
