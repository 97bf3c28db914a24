import { describe, expect, it } from 'vitest';
import { canonicalAvro } from '../../../src/schema/avro-text.js';
import { avroBreaches, type CompatibilityRule } from '../../../src/schema/compatibility.js';

const record = (...fields: { name: string; type: unknown; default?: unknown }[]) =>
  JSON.stringify({ type: 'record', name: 'Value', namespace: 'a', fields });
const id = { name: 'id', type: 'long' };
const optional = { name: 'extra', type: ['null', 'string'], default: null };
const required = { name: 'extra', type: 'string' };
const narrow = { name: 'id', type: 'int' };

function allowed(rule: CompatibilityRule, candidate: string, ...earlier: string[]): boolean {
  const versions = earlier.map((schema, i) => ({ version: i + 1, schema }));
  return avroBreaches(rule, candidate, versions).length === 0;
}

describe('compatibility', () => {
  it.each<[what: string, candidate: string, earlier: string, backward: boolean, forward: boolean]>([
    ['an added field with a default', record(id, optional), record(id), true, true],
    ['an added field without a default', record(id, required), record(id), false, true],
    ['a removed field with a default', record(id), record(id, optional), true, true],
    ['a removed field without a default', record(id), record(id, required), true, false],
    ['a widened number', record(id), record(narrow), true, false],
    ['a narrowed number', record(narrow), record(id), false, true],
    ['a field that becomes nullable', record({ name: 'id', type: ['null', 'long'] }), record(id), true, false],
    ['another type', record({ name: 'id', type: 'string' }), record(id), false, false],
    ['another namespace', record(id).replace('"a"', '"b"'), record(id), true, true],
    [
      'a logical type over the same base',
      record({ name: 'id', type: { type: 'long', logicalType: 'timestamp-millis' } }),
      record(id),
      true,
      true,
    ],
  ])('%s', (_what, candidate, earlier, backward, forward) => {
    expect(allowed('BACKWARD', candidate, earlier)).toBe(backward);
    expect(allowed('FORWARD', candidate, earlier)).toBe(forward);
    expect(allowed('FULL', candidate, earlier)).toBe(backward && forward);
    expect(allowed('NONE', candidate, earlier)).toBe(true);
  });

  it('looks at all versions only where the level is transitive', () => {
    const versions = [record(id), record(id, optional)];
    // Readable by version 2, which has a default for it, and not by data of version 1 without one.
    const candidate = record(id, required);
    expect(allowed('BACKWARD', candidate, versions[0]!, record(id, required))).toBe(true);
    expect(allowed('BACKWARD_TRANSITIVE', candidate, versions[0]!, record(id, required))).toBe(false);
    expect(allowed('FULL_TRANSITIVE', record(id, optional), ...versions)).toBe(true);
    expect(allowed('FORWARD_TRANSITIVE', record(id), record(id, required), record(id))).toBe(false);
  });
});

describe('the normal form', () => {
  it('keeps what makes a difference and drops what makes none', () => {
    const a = canonicalAvro('{"name":"R", "type":"record","fields":[{"name":"x","doc":"d","type":{"type":"string"}}]}');
    expect(a).toBe('{"type":"record","name":"R","fields":[{"name":"x","type":"string","doc":"d"}]}');
    expect(canonicalAvro(a)).toBe(a);
    expect(canonicalAvro('{"type":"string","avro.java.string":"String"}')).toBe(
      '{"type":"string","avro.java.string":"String"}',
    );
    expect(canonicalAvro('[ "null", {"type":"int"} ]')).toBe('["null","int"]');
  });
});
