// Connector configurations as files and clients write them: aliases, defaults, contradictions, unknown and refused properties, secrets.
import { describe, expect, it } from 'vitest';
import { acceptedPrefixes, propertyDefs } from '../../../src/connect/config-def.js';
import { validationResult } from '../../../src/connect/config-validation.js';
import { checkConfig, inspectConfig } from '../../../src/connect/connector-config.js';
import { createRedact, maskSecrets, redactError, unmaskSecrets } from '../../../src/connect/connector-secrets.js';
import { findPlugin } from '../../../src/connect/plugins.js';
import { AppError } from '../../../src/core/errors.js';

const base = {
  'connector.class': 'MySqlCdcSource',
  'database.hostname': 'h',
  'database.user': 'u',
  'database.password': 'p',
};
const errors = (config: Record<string, string>) =>
  inspectConfig('c', { ...base, ...config }).findings.filter(({ severity }) => severity === 'error');

describe('checkConfig', () => {
  const aliases = Object.values(propertyDefs)
    .flat()
    .flatMap((def) => (def.aliases ?? []).map((alias) => [alias, def.name] as const));
  it.each([...new Map(aliases)])('reads %s as %s', (alias, name) => {
    const value = name === 'topic.partitions' ? '3' : 'x';
    expect(inspectConfig('c', { ...base, [alias]: value }).values.get(name)).toBe(value);
  });

  it('takes two spellings of one property only with one value', () => {
    expect(errors({ 'table.include.list': 'a.b', 'table.whitelist': 'a.b' })).toEqual([]);
    expect(errors({ 'table.include.list': 'a.b', 'table.whitelist': 'a.c' })).toHaveLength(1);
  });

  it('names the nearest property for an unknown one, and every problem at once', () => {
    const found = errors({ 'table.include.lst': 'a.b', 'database.port': 'x', 'snapshot.mode': 'intial' });
    expect(found.map(({ property, hint }) => [property, hint])).toEqual([
      ['table.include.lst', 'did you mean "table.include.list"?'],
      ['database.port', undefined],
      ['snapshot.mode', 'did you mean "initial"?'],
    ]);
  });

  it('sets the defaults of the table, and names every required property that is missing', () => {
    expect(inspectConfig('c', base).values.get('database.port')).toBe('3306');
    const missing = inspectConfig('c', { 'connector.class': 'MySqlCdcSource' }).findings;
    expect(missing.map(({ property }) => property)).toEqual(['database.hostname', 'database.user']);
  });

  it('refuses what it would have to ignore, and takes the value that asks for nothing', () => {
    const refused = propertyDefs.mysql.filter(({ use }) => use === 'refused');
    expect(refused.length).toBeGreaterThan(5);
    for (const def of refused) {
      for (const harmless of def.harmless!)
        expect([def.name, errors({ [def.name]: harmless })]).toEqual([def.name, []]);
      const asked =
        def.values?.find((value) => !def.harmless!.includes(value)) ?? (def.type === 'BOOLEAN' ? 'true' : '1');
      if (!def.harmless!.includes(asked))
        expect([def.name, errors({ [def.name]: asked }).length]).toEqual([def.name, 1]);
    }
  });

  it('accepts the families of properties that it does not need', () => {
    for (const { prefix } of acceptedPrefixes) expect(errors({ [`${prefix}anything.at.all`]: 'x' })).toEqual([]);
  });

  it('refuses a shape that is not written yet instead of writing another', () => {
    expect(() => checkConfig('c', { ...base, 'connector.class': 'MySqlCdcSourceV2' })).toThrow(/envelope/);
    expect(
      checkConfig('c', { ...base, 'connector.class': 'MySqlCdcSourceV2', 'after.state.only': 'true' }).output.shape,
    ).toBe('flat-with-deleted');
  });

  it('does not show a password that was written without quotes', () => {
    const found = inspectConfig('c', { ...base, 'database.password': 12345 as unknown as string }).findings;
    expect(JSON.stringify(found)).not.toContain('12345');
  });
});

describe('secrets', () => {
  it('are masked by name; references are shown', () => {
    expect(maskSecrets({ ...base, 'kafka.api.secret': 's', 'database.user': 'u' })).toMatchObject({
      'database.password': '****',
      'kafka.api.secret': '****',
      'database.user': 'u',
    });
    expect(maskSecrets({ 'database.password': '${env:PW}' })).toEqual({ 'database.password': '${env:PW}' });
  });

  it('survive being read masked and sent back', () => {
    const sent = unmaskSecrets({ 'database.password': '****', 'database.user': '****' }, { 'database.password': 'p' });
    expect(sent).toEqual({ 'database.password': 'p', 'database.user': '****' });
  });

  const environment: Record<string, string> = { '${env:A}': 'value-of-a', '${file:b}': 'value-of-b' };
  const resolve = (config: Readonly<Record<string, string>>) =>
    Object.fromEntries(
      Object.entries(config).map(([key, value]) => [
        key,
        value.replaceAll(/\$\{[^}]*\}/g, (found) => environment[found]!),
      ]),
    );

  it('do not come out in errors, wherever their reference stands', () => {
    const config = {
      ...base,
      'database.password': 'inline-pw',
      'snapshot.mode': '${env:A}',
      'database.hostname': 'x-${file:b}',
    };
    const redact = createRedact(config, resolve);
    const error = redactError(
      new AppError('bad-connector-config', 'value-of-a', { detail: 'inline-pw', hint: 'at x-value-of-b' }),
      redact,
    );
    expect([error.message, error.detail, error.hint]).toEqual(['${env:A}', '****', 'at x-${file:b}']);
  });

  it('do not come out of validate', async () => {
    const given = {
      ...base,
      name: 'c',
      'snapshot.mode': '${env:A}',
      'topic.prefix': '${file:b}',
      'database.port': '${env:A}',
    };
    const redact = createRedact(given, resolve);
    const answer = await validationResult(
      findPlugin('MySqlCdcSource'),
      { given, resolved: resolve(given), redact },
      () => Promise.resolve([]),
    );
    expect(answer.error_count).toBe(2);
    expect(JSON.stringify(answer)).not.toContain('value-of');
    expect(JSON.stringify(answer)).toContain('${file:b}');
  });
});
