// House rules as an ordinary test: which room may import which, which room may use which library, no circles, no barrels, no unused
// files, no over-long files, nothing left unfinished; and which SQLite driver the tests use. The layers are those of src/README.md.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const src = resolve(import.meta.dirname, '../src');

interface Source {
  /** Path below src. */
  readonly path: string;
  readonly text: string;
  /** Paths below src; type-only imports too, since they shape the design as well. */
  readonly imports: readonly string[];
  /** Those that are there at run time, in the same thread. */
  readonly loads: readonly string[];
  readonly libraries: readonly string[];
}

const files = load(src);
const byPath = new Map(files.map((file) => [file.path, file]));

/** Files that say what a room promises, without implementation: others may import them where the room itself is closed. */
const ports = new Set([
  'source/source-connector.ts',
  'source/verification.ts',
  'stream/event-log.ts',
  'store/state-store.ts',
]);
const facades = /^(query|projector|connect|registry)\/[a-z-]+-facade\.ts$/;

const exported = /^export (?:async )?(?:function\*?|const|class|interface|type) ([A-Za-z_]\w*)/gm;

function countWords(text: string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const [word] of text.matchAll(/[A-Za-z_]\w*/g)) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}

const level3 = ['core', 'sql', 'schema', 'sqlite', 'dataflow'];
const rules: Readonly<
  Record<string, { readonly rooms: readonly string[]; readonly ports?: boolean; readonly facades?: boolean }>
> = {
  core: { rooms: [] },
  sql: { rooms: ['core'] },
  schema: { rooms: ['core'] },
  sqlite: { rooms: ['core'] },
  dataflow: { rooms: ['core', 'sql', 'schema', 'sqlite'] },
  source: { rooms: ['core', 'sql', 'schema', 'sqlite'] },
  stream: { rooms: ['core', 'sql', 'schema', 'sqlite'] },
  store: { rooms: ['core', 'sql', 'schema', 'sqlite'] },
  registry: { rooms: level3, ports: true },
  catalog: { rooms: level3, ports: true },
  runtime: { rooms: [...level3, 'registry', 'catalog'], ports: true },
  connect: { rooms: [...level3, 'registry', 'catalog', 'runtime'], ports: true },
  projector: { rooms: [...level3, 'registry', 'catalog', 'runtime'], ports: true },
  query: { rooms: [...level3, 'registry', 'catalog', 'runtime'], ports: true },
  engine: {
    rooms: [...level3, 'source', 'stream', 'store', 'registry', 'catalog', 'runtime', 'connect', 'projector', 'query'],
  },
  server: { rooms: ['core'], facades: true },
};

/** Libraries, and the only places that may use them. */
const libraries: Readonly<Record<string, RegExp>> = {
  'better-sqlite3': /^sqlite\//,
  'better-sqlite3-napi': /^sqlite\//,
  kafkajs: /^stream\/kafka\//,
  mysql2: /^source\/mysql\//,
  '@vlasky/zongji': /^source\/mysql\//,
  express: /^server\//,
  avsc: /^schema\//,
  commander: /^cli\//,
  re2js: /^core\/pattern\.ts$/,
  yaml: /^config\.ts$/,
  pino: /^process\/log-target\.ts$/,
};

const entries = new Set([
  'main.ts',
  'index.ts',
  'demo/writer.ts',
  'threads/engine.ts',
  'threads/capture.ts',
  'threads/inquiry.ts',
  'threads/reader.ts',
  'threads/checkpointer.ts',
]);
const linesMax = 400;

/** The one file outside src that names the SQLite driver; this file does so only in its lists. */
const driverFiles = new Set(['support/sqlite-driver.ts', 'tidy.test.ts']);

describe('the source tree', () => {
  it('keeps its layers: a room imports only what its level may', () => {
    const breaches: string[] = [];
    for (const file of files) {
      const rule = rules[roomOf(file.path)];
      if (!rule) continue; // level 5 may import everything
      for (const imported of file.imports) {
        const room = roomOf(imported);
        const allowed =
          room === roomOf(file.path) ||
          rule.rooms.includes(room) ||
          (rule.ports === true && ports.has(imported)) ||
          (rule.facades === true && facades.test(imported));
        if (!allowed) breaches.push(`${file.path} imports ${imported}`);
      }
    }
    expect(breaches).toEqual([]);
  });

  it('lets facades and ports speak of types alone', () => {
    const breaches = files
      .filter(({ path, text }) => (ports.has(path) || facades.test(path)) && /^import (?!type )/m.test(text))
      .map(({ path }) => path);
    expect(breaches).toEqual([]);
  });

  it('keeps each library in its room, and uses no other', () => {
    const breaches = files.flatMap(({ path, libraries: used }) =>
      used.filter((name) => !libraries[name]?.test(path)).map((name) => `${path} uses ${name}`),
    );
    expect(breaches).toEqual([]);
  });

  it('has no circle of imports', () => {
    expect(circles()).toEqual([]);
  });

  it('exports nothing that nobody uses', () => {
    const tests = join(src, '../test');
    const texts = [
      ...files,
      ...readdirSync(tests, { recursive: true, encoding: 'utf8' })
        .filter((path) => /\.(ts|mjs)$/.test(path))
        .map((path) => ({ path: join('test', path), text: readFileSync(join(tests, path), 'utf8') })),
    ].map(({ path, text }) => ({ path, words: new Map(countWords(text)) }));
    const unused = files
      .filter(({ path }) => path !== 'index.ts')
      .flatMap(({ path, text }) =>
        Array.from(text.matchAll(exported), ([, name]) => name!)
          .filter((name) => texts.every((other) => (other.words.get(name) ?? 0) <= (other.path === path ? 1 : 0)))
          .map((name) => `${path} exports ${name}`),
      );
    expect(unused).toEqual([]);
  });

  it('has no barrel: a file that only exports what others hold', () => {
    const barrels = files
      .filter(
        ({ path, text }) =>
          path !== 'index.ts' &&
          /^export .*from /m.test(text) &&
          !/^(export )?(default |async )?(abstract )?(function|class|const|let|interface|type) /m.test(text),
      )
      .map(({ path }) => path);
    expect(barrels).toEqual([]);
  });

  it('has no file that nothing reaches', () => {
    const reached = new Set<string>();
    const visit = (path: string): void => {
      if (reached.has(path)) return;
      reached.add(path);
      for (const imported of byPath.get(path)?.imports ?? []) visit(imported);
    };
    for (const entry of entries) {
      expect(byPath.has(entry), `${entry} is there`).toBe(true);
      visit(entry);
    }
    expect(files.map(({ path }) => path).filter((path) => !reached.has(path))).toEqual([]);
  });

  it('loads no driver of a source in the main thread', () => {
    const loaded = new Set<string>();
    const visit = (path: string): void => {
      if (loaded.has(path)) return;
      loaded.add(path);
      for (const next of byPath.get(path)?.loads ?? []) visit(next);
    };
    for (const entry of ['main.ts', 'index.ts']) visit(entry);
    const drivers = ['mysql2', '@vlasky/zongji'];
    expect([...loaded].filter((path) => byPath.get(path)!.libraries.some((name) => drivers.includes(name)))).toEqual(
      [],
    );
    expect(loaded.size).toBeGreaterThan(200);
  });

  it(`has no file over ${linesMax} lines`, () => {
    expect(files.filter(({ text }) => text.split('\n').length > linesMax).map(({ path }) => path)).toEqual([]);
  });

  it('opens each file by saying what it is for', () => {
    expect(files.filter(({ text }) => !/^(#!.*\n)?(\/\/|\/\*)/.test(text)).map(({ path }) => path)).toEqual([]);
  });

  it('has nothing marked as unfinished', () => {
    expect(files.filter(({ text }) => /\b(TODO|FIXME|XXX|HACK)\b/.test(text)).map(({ path }) => path)).toEqual([]);
  });

  it('switches off no rule of the linter without a reason beside it', () => {
    const bare = files
      .filter(({ text }) => /(oxlint|eslint)-disable(?!.* -- )|@ts-(ignore|nocheck)|@ts-expect-error(?! \S)/.test(text))
      .map(({ path }) => path);
    expect(bare).toEqual([]);
  });
});

describe('the tests', () => {
  // The build that a name of a package stands for may be the one that cannot run on this Node.
  it('take the SQLite driver that the program chose, never a build of it by name', () => {
    const named = readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' })
      .filter((path) => /\.[mc]?[jt]s$/.test(path) && !driverFiles.has(path))
      .filter((path) => /['"`/]better-sqlite3/.test(readFileSync(join(import.meta.dirname, path), 'utf8')));
    expect(named).toEqual([]);
  });
});

function load(folder: string): Source[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => {
      const text = readFileSync(join(folder, path), 'utf8');
      const specifiers = [
        ...text.matchAll(
          /(?:^|\n)\s*(?:import|export)\b[^'"`;]*?from\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)|(?:^|\n)import\s+['"]([^'"]+)['"]|new URL\(\s*['"](\.[^'"]+\.js)['"]/g,
        ),
      ].map((m) => m[1] ?? m[2] ?? m[3] ?? m[4]!);
      const own = (names: readonly string[]): readonly string[] =>
        names
          .filter((name) => name.startsWith('.'))
          .map((name) => relative(folder, resolve(folder, dirname(path), name)).replace(/\.js$/, '.ts'))
          .filter((name) => existsSync(join(folder, name)) && name.endsWith('.ts'));
      const imports = own(specifiers);
      const loads = own(
        [
          ...text.matchAll(
            /(?:^|\n)\s*(?:import|export)(?! type\b)[^'"`;]*?from\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)|(?:^|\n)import\s+['"]([^'"]+)['"]/g,
          ),
        ].map((m) => m[1] ?? m[2] ?? m[3]!),
      );
      const used = specifiers
        .filter((name) => !name.startsWith('.') && !name.startsWith('node:'))
        .map((name) =>
          name
            .split('/')
            .slice(0, name.startsWith('@') ? 2 : 1)
            .join('/'),
        );
      return { path, text, imports, loads, libraries: used };
    });
}

function roomOf(path: string): string {
  const [first, ...rest] = path.split('/');
  return rest.length === 0 ? '' : first!;
}

/** Each circle once, as a path. Types count: files that need each other's are one subject in two places. */
function circles(): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): void => {
    const at = trail.indexOf(path);
    if (at >= 0) {
      found.push([...trail.slice(at), path].join(' -> '));
      return;
    }
    if (done.has(path)) return;
    for (const next of byPath.get(path)?.imports ?? []) visit(next, [...trail, path]);
    done.add(path);
  };
  for (const { path } of files) visit(path, []);
  return found;
}
