// What users get: the packed program, installed into an empty folder on Node 24, run there from the command line, embedded by
// import and by require, and compiled against its types with everything strict.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { request } from '../support/harness/http-client.js';
import { waitFor } from '../support/harness/wait-for.js';
import { projectRoot } from '../support/servers/cache.js';
import { freePort, run } from '../support/servers/command.js';
import { ensureNode24, installPacked, type SecondNode } from '../support/servers/node24.js';

const root = projectRoot();
let dir = '';
let packed: readonly string[] = [];
let home = '';
let node: SecondNode;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'writethrough-package-'));
  const json = await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', dir], { cwd: root });
  const [{ filename, files }] = JSON.parse(json) as [{ filename: string; files: { path: string }[] }];
  packed = files.map(({ path }) => path);
  node = await ensureNode24();
  home = await installPacked({ tarball: join(dir, filename), dir: join(dir, 'app'), name: 'writethrough' });
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** A program in the folder where the package is installed; its output. */
async function program(name: string, text: string): Promise<string> {
  const path = join(dir, 'app', name);
  writeFileSync(path, text);
  return run(node.binary, [path], { cwd: join(dir, 'app'), env: node.env });
}

describe('the packed program on Node 24', () => {
  it('holds the program with its types, and nothing of its making', () => {
    const others = packed.filter((path) => !/^dist\/.*\.(js|d\.ts)$/.test(path)).toSorted();
    const queries = readdirSync(join(root, 'queries')).map((name) => `queries/${name}`);
    expect(others).toEqual(
      [
        'CHANGELOG.md',
        'LICENSE',
        'README.md',
        'docs/connector-properties.md',
        'examples/connector.json',
        'package.json',
        ...queries,
      ].toSorted(),
    );
    const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' });
    const stems = new Set(sources.filter((name) => name.endsWith('.ts')).map((name) => name.slice(0, -3)));
    const strangers = packed
      .filter((path) => path.startsWith('dist/'))
      .filter((path) => !stems.has(path.slice('dist/'.length).replace(/(\.d\.ts|\.js)$/, '')));
    expect(strangers, 'files of dist whose source is gone').toEqual([]);
  });

  it('runs the demo from its command, answers a row and stops', async () => {
    expect(node.version).toMatch(/^v24\./);
    const port = await freePort();
    const bin = join(dir, 'app', 'node_modules', '.bin', 'writethrough');
    const demo = spawn(bin, ['demo', '--port', String(port)], { cwd: join(dir, 'app'), env: node.env });
    let output = '';
    for (const stream of [demo.stdout, demo.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text));
    try {
      await waitFor('the greeting, or an end', () => output.includes('Ctrl-C stops') || demo.exitCode !== null);
      expect(output).toContain('Ctrl-C stops');
      const row = await request(`http://127.0.0.1:${port}/v1/tables/employees/rows/7`);
      expect([row.status, JSON.parse(row.text)]).toEqual([200, expect.objectContaining({ id: '7' })]);
      const payroll = await request(`http://127.0.0.1:${port}/v1/tables/department_payroll/rows/1`);
      expect(payroll.status, 'the shipped queries are found').toBe(200);
      const gone = once(demo, 'exit');
      demo.kill('SIGTERM');
      expect(await gone).toEqual([0, null]);
    } finally {
      demo.kill('SIGKILL');
    }
  });

  it('is embedded by import and by require', async () => {
    const body = `
      const db = new DatabaseSync(file);
      db.exec("PRAGMA journal_mode = WAL; CREATE TABLE employees (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO employees VALUES (7, 'Ada')");
      const service = createWritethrough({ source: 'sqlite:' + file, data: file + '-data', port: 0 });
      await service.start();
      await service.whenReadable('employees');
      console.log(JSON.stringify(service.pull('employees', '7')));
      await service.stop();`;
    const imported = await program(
      'embed.mjs',
      `import { createWritethrough } from 'writethrough';
       import { DatabaseSync } from 'node:sqlite';
       const file = 'a.db';${body}`,
    );
    expect(JSON.parse(imported)).toEqual({ id: '7', name: 'Ada' });
    const required = await program(
      'embed.cjs',
      `const { createWritethrough } = require('writethrough');
       const { DatabaseSync } = require('node:sqlite');
       const file = 'b.db';
       (async () => {${body}})();`,
    );
    expect(JSON.parse(required)).toEqual({ id: '7', name: 'Ada' });
  });

  it('has types that a strict program compiles against, those of its dependencies included', async () => {
    const project = join(dir, 'typed');
    mkdirSync(join(project, 'node_modules'), { recursive: true });
    cpSync(home, join(project, 'node_modules', 'writethrough'), { recursive: true });
    symlinkSync(join(root, 'node_modules', '@types'), join(project, 'node_modules', '@types'));
    writeFileSync(join(project, 'package.json'), '{ "private": true, "type": "module" }\n');
    const compilerOptions = {
      target: 'ES2022',
      module: 'NodeNext',
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      // The declarations themselves are checked too; of other packages' they need only Node's.
      skipLibCheck: false,
      types: ['node'],
      noEmit: true,
    };
    writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['main.ts'] }));
    writeFileSync(
      join(project, 'main.ts'),
      `import { AppError, createWritethrough, type ChangeItem, type Writethrough } from 'writethrough';
       const service: Writethrough = createWritethrough({ source: 'sqlite:app.db', data: './data', port: 0, onLog: (level, message) => void [level, message] });
       await service.start();
       await service.whenReadable('employees');
       const { json, version }: { json: string; version: string } = await service.read([{ table: 'employees', key: '7' }]);
       const stop = new AbortController();
       for await (const items of service.subscribe({ table: 'employees', snapshot: true, after: version, signal: stop.signal })) {
         const first: ChangeItem | undefined = items[0];
         if (first?.op === 'caught-up') break;
       }
       try { await service.execute('SHOW TABLES;'); } catch (error) { if (error instanceof AppError) throw new Error(error.code + json); }
       // @ts-expect-error an option that does not exist
       createWritethrough({ sauce: 'x' });
       await service.stop();
      `,
    );
    const { bin } = JSON.parse(readFileSync(join(root, 'node_modules/typescript/package.json'), 'utf8')) as {
      bin: { tsc: string };
    };
    await run(process.execPath, [join(root, 'node_modules/typescript', bin.tsc), '-p', project]);
  });
});
