// Builds dist/ from src/ when it is out of date, so that a second `npm start` costs nothing. Out of date means: a source, a
// tsconfig or this script has another time than at the last whole build, or a source has come or gone. Files in dist/ whose source
// is gone are removed, so that they do not live on in the package; the others are written in place, under a running program too.
// `--force` builds in any case.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const dist = join(root, 'dist');
const stamp = join(dist, '.build.json');

const sources = readdirSync(join(root, 'src'), { recursive: true })
  .filter((name) => name.endsWith('.ts'))
  .sort();
const others = ['package.json', 'tsconfig.json', 'tsconfig.build.json', join('scripts', 'build.mjs')];
const wanted = JSON.stringify(
  [...others, ...sources.map((name) => join('src', name))].map((name) => [name, statSync(join(root, name)).mtimeMs]),
);

if (process.argv.includes('--force') || builtFrom() !== wanted) {
  rmSync(stamp, { force: true });
  compile();
  removeLeftovers();
  writeFileSync(stamp, wanted);
}

function builtFrom() {
  try {
    return readFileSync(stamp, 'utf8');
  } catch {
    return undefined; // never built, or the last build failed
  }
}

function compile() {
  const compiler = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc');
  const { status, error } = spawnSync(process.execPath, [compiler, '-p', join(root, 'tsconfig.build.json')], {
    cwd: root,
    stdio: 'inherit',
  });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

function removeLeftovers() {
  const stems = new Set(sources.map((name) => name.slice(0, -'.ts'.length)));
  for (const entry of readdirSync(dist, { recursive: true, withFileTypes: true })) {
    if (entry.isDirectory()) continue;
    const path = join(entry.parentPath, entry.name);
    const stem = path.slice(dist.length + 1).replace(/\.(d\.ts|js|js\.map)$/, '');
    if (!stems.has(stem)) rmSync(path);
  }
}
