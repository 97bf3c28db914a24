// A configuration as it is shown: without what is secret in it.
import { describe, expect, it } from 'vitest';
import { loadConfig, shownConfig } from '../../../src/config.js';
import { createRedact, maskSecrets, redactError, unmaskSecrets } from '../../../src/connect/connector-secrets.js';
import { toAppError } from '../../../src/core/errors.js';

describe('the configuration as it is shown', () => {
  it('hides the password of a stream, wherever in its URL it stands', async () => {
    for (const stream of ['kafka://u:hush@h', 'kafka://h?sasl=plain&username=u&password=hush']) {
      const config = await loadConfig({ flags: { stream }, env: {}, file: undefined });
      expect(JSON.stringify(shownConfig(config))).not.toContain('hush');
    }
  });

  it('hides what is secret inside a property, which keeps its value when it is sent back so', () => {
    const config = {
      'connection.url': 'jdbc:mysql://h/d?user=u&password=hush',
      'schema.registry.url': 'http://u:hush@registry:8081',
      'connection.password': 'hush',
      'value.converter.basic.auth.user.info': 'u:hush',
      'database.user': '${env:USER}',
    };
    const shown = maskSecrets(config);
    expect(JSON.stringify(shown)).not.toContain('hush');
    expect(shown['database.user']).toBe('${env:USER}');
    expect(unmaskSecrets({ ...shown, 'table.types': 'VIEW' }, config)).toEqual({ ...config, 'table.types': 'VIEW' });
    expect(unmaskSecrets({ 'schema.registry.url': 'http://u:****@elsewhere' }, config)).toEqual({
      'schema.registry.url': 'http://u:****@elsewhere',
    });
    const redact = createRedact(config, (given) => given);
    expect(redact('hush said http://u:hush@registry:8081')).toBe('**** said http://****@registry:8081');
  });

  it('of a bug that is redacted, where it was thrown is kept, without the secret', () => {
    const bug = redactError(toAppError(new TypeError('hush is no number')), (text) => text.replaceAll('hush', '****'));
    expect(bug.message).toBe('**** is no number');
    expect(bug.stack).toMatch(/TypeError: \*\*\*\* is no number\n\s+at /);
  });
});
