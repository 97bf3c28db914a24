// Options by flag, environment and file: each is known everywhere, has its effect somewhere, and what nobody knows is refused.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { environmentName, loadConfig, optionDefs } from '../../../src/config.js';

let folder: string;
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'wt-config-'))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const load = (env: Record<string, string>) => loadConfig({ flags: {}, env, file: undefined });
const fileOf = (text: string) => {
  const file = join(folder, 'writethrough.yaml');
  writeFileSync(file, text);
  return loadConfig({ flags: {}, env: {}, file });
};
/** A value that the option takes, and that is not its default. */
function other(key: keyof typeof optionDefs): string {
  const candidates = [
    'true',
    'standby',
    'ignore',
    'extra',
    'debug',
    'human',
    '77777',
    '2000000',
    '5',
    'some-text',
    'mysql://db:3306',
  ];
  const found = candidates.find((text) => {
    try {
      return String(optionDefs[key].read(text, key)) !== String(optionDefs[key].default);
    } catch {
      return false;
    }
  });
  expect([key, found === undefined]).toEqual([key, false]);
  return found!;
}

describe.each(Object.keys(optionDefs) as (keyof typeof optionDefs)[])('%s', (key) => {
  it('is read from the environment and from the file, and a slip in its name is told', async () => {
    const text = other(key);
    const wanted = optionDefs[key].read(text, key);
    expect((await load({ [environmentName(key)]: text }))[key]).toEqual(wanted);
    expect((await fileOf(`${key}: ${text}`))[key]).toEqual(wanted);
    await expect(load({ [`${environmentName(key)}X`]: text })).rejects.toMatchObject({
      code: 'unknown-option',
      hint: `did you mean "${environmentName(key)}"?`,
    });
    await expect(fileOf(`${key}x: ${text}`)).rejects.toMatchObject({ code: 'unknown-option' });
  });

  it('is used', () => {
    const sources = readdirSync(join(import.meta.dirname, '../../../src'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && name !== 'config.ts')
      .map((name) => readFileSync(join(import.meta.dirname, '../../../src', name), 'utf8'));
    const own = readFileSync(join(import.meta.dirname, '../../../src/config.ts'), 'utf8');
    const uses = [`config['${key}']`, `config.${key}`, `'${key}'`];
    const isUsed = sources.some((text) => uses.some((use) => text.includes(use))) || own.includes(`config['${key}']`);
    expect([key, isUsed]).toEqual([key, true]);
  });
});

it.each(['WRITETHROUGH_URL', 'WRITETHROUGH_FAILPOINT', 'WRITETHROUGH_SERVICE_HOST', 'WRITETHROUGH_SERVICE_PORT_HTTP'])(
  'the variable %s is known, and no option',
  async (name) => {
    expect(await load({ [name]: 'x' })).toEqual(await load({}));
  },
);

it.each(['WRITETHROUGH_PORT_8088_TCP_ADDR', 'WRITETHROUGH_WEB_SERVICE_HOST', 'OTHER', 'WRITETHROUGH'])(
  'the variable %s is somebody else’s',
  async (name) => {
    expect(await load({ [name]: 'x' })).toEqual(await load({}));
  },
);

it.each(['constructor', '__proto__', 'toString'])('an option "%s" is none', async (key) => {
  await expect(fileOf(`${key}: 1`)).rejects.toMatchObject({ code: 'unknown-option' });
});
