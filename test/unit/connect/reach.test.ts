// What connectors may reach: references in their properties, servers and files; and the configuration as it is shown.
import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig, shownConfig } from '../../../src/config.js';
import { toAppError } from '../../../src/core/errors.js';
import { reached, type Owner, type ReachOptions } from '../../../src/connect/reach.js';

const folder = mkdtempSync(join(tmpdir(), 'wt-reach-'));
const secrets = join(folder, 'secrets');
const own = join(folder, 'data', 'writethrough.db');
beforeAll(() => {
  mkdirSync(join(secrets, 'inner'), { recursive: true });
  writeFileSync(join(secrets, 'pw'), 'from-file\n');
  writeFileSync(join(secrets, 'inner', 'pw'), 'from-inner');
  writeFileSync(join(secrets, 'large'), Buffer.alloc(70_000));
  writeFileSync(join(folder, 'outside'), 'must not be read');
  for (const name of ['data', 'app', 'app2']) mkdirSync(join(folder, name));
  writeFileSync(own, '');
  for (const name of ['app', 'app2']) writeFileSync(join(folder, name, 'shop.db'), '');
  symlinkSync(own, join(folder, 'app', 'symbolic.db'));
  linkSync(own, join(folder, 'app', 'hard.db'));
  symlinkSync(join(folder, 'data'), join(folder, 'app', 'folder'));
  symlinkSync(join(folder, 'app2'), join(folder, 'app', 'elsewhere'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const options: ReachOptions = {
  env: { PW: 'from-env', SHOP_USER: 'shop', OTHER: 'not listed', FILE: own },
  envAllowed: ['PW', 'SHOP_*', 'NONE', 'FILE'],
  secretsFolder: secrets,
  sourcesAllowed: ['mysql://*', `sqlite:${join(folder, 'app')}`],
  ownFiles: [own],
};
const resolve = (value: string, owner: Owner = 'api') => reached({ p: value }, owner, options)['p'];

/** The code that it is refused with; undefined: it is not. */
function refusal(config: Record<string, string>, owner: Owner = 'api', more: Partial<ReachOptions> = {}) {
  try {
    reached(config, owner, { ...options, ...more });
    return undefined;
  } catch (error) {
    return toAppError(error).code;
  }
}

describe('references', () => {
  it.each([
    ['${env:PW}', 'from-env'],
    ['${file:pw}', 'from-file'],
    ['${file:inner/pw}', 'from-inner'],
    ['a-${env:PW}-${file:pw}', 'a-from-env-from-file'],
    ['$PW {env:PW} ${other:x}', '$PW {env:PW} ${other:x}'],
  ])('%s is %s', (text, value) => expect(resolve(text)).toBe(value));

  it.each([
    '${file:../outside}',
    '${file:inner/../../outside}',
    '${file:/etc/hostname}',
    '${file:.}',
    '${file:none}',
    '${file:large}',
    '${env:NONE}',
  ])('%s is refused, and nothing of a file is told', (text) => {
    try {
      expect(resolve(text)).toBe('refused');
    } catch (error) {
      const { code, message, detail } = toAppError(error);
      expect(code).toBe('bad-connector-config');
      expect(`${message}${detail}`).not.toContain('must not be read');
    }
  });
});

describe('values of the environment', () => {
  it.each([
    ['PW', 'api', undefined],
    ['SHOP_USER', 'api', undefined],
    ['OTHER', 'api', 'not-allowed'],
    ['MY_SHOP_USER', 'api', 'not-allowed'],
    ['PW2', 'api', 'not-allowed'],
    ['OTHER', 'flag', undefined],
    ['OTHER', 'file', undefined],
  ] as const)('%s of a connector by %s', (name, owner, code) => {
    expect(refusal({ 'database.user': `\${env:${name}}` }, owner)).toBe(code);
  });

  it('are none, until some are listed', () => {
    expect(refusal({ p: '${env:PW}' }, 'api', { envAllowed: [] })).toBe('not-allowed');
    expect(refusal({ p: '${file:pw}' }, 'api', { envAllowed: [] })).toBeUndefined();
  });
});

describe('files', () => {
  const app = join(folder, 'app');
  it.each([
    [join(app, 'shop.db'), undefined, undefined],
    [join(app, 'not', 'there.db'), undefined, undefined],
    [relative(process.cwd(), join(app, 'shop.db')), undefined, undefined],
    [join(folder, 'app2', 'shop.db'), 'not-allowed', undefined],
    [join(app, '..', 'app2', 'shop.db'), 'not-allowed', undefined],
    [join(app, 'elsewhere', 'shop.db'), 'not-allowed', undefined],
    [app, 'not-allowed', undefined],
    [own, 'not-allowed', 'not-allowed'],
    [relative(process.cwd(), own), 'not-allowed', 'not-allowed'],
    [join(app, 'symbolic.db'), 'not-allowed', 'not-allowed'],
    [join(app, 'hard.db'), 'not-allowed', 'not-allowed'],
    [join(app, 'folder', 'writethrough.db'), 'not-allowed', 'not-allowed'],
    ['${env:FILE}', 'not-allowed', 'not-allowed'],
    ['x'.repeat(10_000), 'not-allowed', undefined],
    ['a\0b', 'not-allowed', undefined],
  ])('%s', (file, overHttp, byOperator) => {
    for (const [name, value] of [
      ['database.file', file],
      ['connection.url', `jdbc:sqlite:${file}`],
      ['connection.url', `jdbc:sqlite:file:${file}?mode=ro`],
    ] as const) {
      expect([value, refusal({ [name]: value })]).toEqual([value, overHttp]);
      const env = { ...options.env, FILE: own };
      expect([value, refusal({ [name]: value }, 'flag', { env })]).toEqual([value, byOperator]);
    }
  });
});

describe('servers', () => {
  const sourcesAllowed = ['mysql://db.shop', 'mariadb://*.shop.internal:3307', 'mysql://[::1]'];
  it.each([
    ['db.shop', '3306', undefined],
    ['DB.Shop ', '3310', undefined],
    ['db.shop.evil', '3306', 'not-allowed'],
    ['dbxshop', '3306', 'not-allowed'],
    ['a.shop.internal', '3307', undefined],
    ['a.shop.internal', '3306', 'not-allowed'],
    ['::1', '3306', undefined],
    ['::2', '3306', 'not-allowed'],
  ])('%s:%s', (host, port, code) => {
    const here = { 'database.hostname': host, 'database.port': port };
    expect(refusal(here, 'api', { sourcesAllowed })).toBe(code);
    expect(refusal(here, 'flag', { sourcesAllowed })).toBeUndefined();
    expect(refusal({ 'connection.host': host, 'connection.port': port }, 'api', { sourcesAllowed })).toBe(code);
    const name = host.includes(':') ? `[${host}]` : host.trim();
    const url = `jdbc:mysql://${name}:${port}/shop?user=u`;
    expect(refusal({ 'connection.url': url }, 'api', { sourcesAllowed })).toBe(code);
  });

  it('are listed in one way, and nothing else is taken for it', async () => {
    const load = (list: string) => loadConfig({ flags: { 'sources.allowed': [list] }, env: {}, file: undefined });
    expect((await load(sourcesAllowed.join(', ')))['sources.allowed']).toEqual(sourcesAllowed);
    for (const wrong of ['db.shop', 'mysql://', 'mysql://a/b', 'mysql://a:b', 'http://a', 'sqlite:', '/srv'])
      await expect(load(wrong)).rejects.toMatchObject({ code: 'bad-config' });
  });
});

describe('the configuration as it is shown', () => {
  it.each([
    ['mysql://root:secret@h:3306/d', 'mysql://root:****@h:3306/d'],
    ['mysql://root:se@cret@h/d', 'mysql://root:****@h/d'],
    ['mysql://root:se/cret@h/d', 'mysql://root:****@h/d'],
    ['mysql://root@h/d', 'mysql://root@h/d'],
    ['sqlite:/a/b.db', 'sqlite:/a/b.db'],
  ])('hides the password of %s', async (source, shown) => {
    const config = await loadConfig({ flags: { source }, env: {}, file: undefined });
    expect(shownConfig(config)['source']).toBe(shown);
  });

  it('leaves a stream of several brokers as it is', async () => {
    const config = await loadConfig({ flags: { stream: 'kafka://a:9092,b:9092' }, env: {}, file: undefined });
    expect(shownConfig(config)['stream']).toBe('kafka://a:9092,b:9092');
  });
});
