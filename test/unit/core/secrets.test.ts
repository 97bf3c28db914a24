import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  AppError,
  errorFields,
  fromErrorMessage,
  toAppError,
  toErrorMessage,
  toThrownMessage,
} from '../../../src/core/errors.js';
import { hideInError, hideInFields, hideSecrets, keepSecrets, maskText, secretsIn } from '../../../src/core/secrets.js';

describe('a setting as it is shown', () => {
  it.each([
    ['kafka://h?sasl=plain&username=u&password=P', 'kafka://h?sasl=plain&username=u&password=****'],
    ['kafka://u:pw@a:9092,b:9092?ssl=true', 'kafka://u:****@a:9092,b:9092?ssl=true'],
    ['kafka://h?%70assword=P', 'kafka://h?%70assword=****'],
    [
      'mysql://root:se@c/ret?@h/d?database.ssl.keystore.password=k',
      'mysql://root:****@h/d?database.ssl.keystore.password=****',
    ],
    ['jdbc:mysql://h/d?user=u&password=P;x=1', 'jdbc:mysql://h/d?user=u&password=****;x=1'],
    ['jdbc:mysql://(host=h,password=P)/d', 'jdbc:mysql://(host=h,password=****)/d'],
    ['http://user:pw@registry:8081', 'http://user:****@registry:8081'],
    ['kafka://a:9092,b:9092', 'kafka://a:9092,b:9092'],
    ['sqlite:/a/b.db?table.exclude.list=a', 'sqlite:/a/b.db?table.exclude.list=a'],
    ['shop.items,shop.password', 'shop.items,shop.password'],
  ])('%s is %s', (text, shown) => {
    expect(maskText(text)).toBe(shown);
    expect(maskText(shown)).toBe(shown);
  });

  it('has no secret in it, whatever it is', () => {
    const secret = fc.stringMatching(/^[A-Za-z0-9!~_@:/-]{6,12}$/);
    fc.assert(
      fc.property(secret, fc.constantFrom('user:SECRET@h', 'u:SECRET@a:1,b:2?ssl=true'), (text, form) => {
        const url = `kafka://${form.replace('SECRET', () => text)}`;
        expect(maskText(url).replace('kafka://', '')).not.toContain(text);
        expect(secretsIn(url)).toContain(text);
      }),
    );
  });
});

describe('the secrets of the process', () => {
  keepSecrets(['mysql://root:hunter%212@h/d', 'kafka://h?sasl=plain&username=root&password=cat&ssl=true', undefined]);

  it('are in no text, as they are written and as they are meant', () => {
    expect(hideSecrets('refused hunter!2 and hunter%212')).toBe('refused **** and ****');
  });

  it('that are words are hidden where they are words', () => {
    expect(hideSecrets('cat (cat) "cat" but not the category')).toBe('**** (****) "****" but not the category');
  });

  it('are in no field and no error', () => {
    const error = new AppError('bad-config', 'hunter!2', { detail: 'a cat', hint: 'hunter%212', place: { path: 'x' } });
    expect(hideInError(error)).toMatchObject({ message: '****', detail: 'a ****', hint: '****', place: { path: 'x' } });
    const fields = hideInFields({
      a: ['hunter!2', { b: 'cat' }],
      n: 1,
      e: new Error('hunter!2', { cause: new Error('cat') }),
    });
    expect(JSON.stringify(fields)).not.toMatch(/hunter|"cat"|: cat/);
    expect(fields).toMatchObject({
      a: ['****', { b: '****' }],
      n: 1,
      e: { message: '****', cause: { message: '****' } },
    });
  });
});

describe('a bug', () => {
  const thrown = () => toAppError(new TypeError('x is not a function'));

  it('is logged with what was thrown and where, across threads, too', () => {
    const here = errorFields(thrown());
    expect(here).toMatchObject({ code: 'internal', error: 'x is not a function' });
    expect(here['stack']).toMatch(/TypeError: x is not a function\n\s+at .*secrets\.test\.ts/);
    const there = errorFields(fromErrorMessage(structuredClone(toThrownMessage(thrown()))));
    expect(there['stack']).toMatch(/TypeError: x is not a function\n\s+at .*secrets\.test\.ts/);
  });

  it('is kept and told without that', () => {
    expect(toErrorMessage(thrown())).not.toHaveProperty('stack');
    expect(errorFields(new AppError('bad-config', 'x'))).not.toHaveProperty('stack');
  });
});
