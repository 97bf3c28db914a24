// References in connector properties, and the configuration as it is shown.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig, shownConfig } from '../../../src/config.js';
import { toAppError } from '../../../src/core/errors.js';
import { resolveReferences } from '../../../src/connect/references.js';

let folder: string;
let secrets: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'wt-secrets-'));
  secrets = join(folder, 'secrets');
  mkdirSync(join(secrets, 'inner'), { recursive: true });
  writeFileSync(join(secrets, 'pw'), 'from-file\n');
  writeFileSync(join(secrets, 'inner', 'pw'), 'from-inner');
  writeFileSync(join(folder, 'outside'), 'must not be read');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const resolve = (value: string) => resolveReferences({ p: value }, secrets, { PW: 'from-env' })['p'];

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
