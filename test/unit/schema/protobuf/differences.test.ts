// The rules by which Confluent's registry compares Protobuf schemas, one case for each kind of difference.
import { describe, expect, it } from 'vitest';
import type { CompatibilityLevel } from '../../../../src/core/compatibility-level.js';
import { breachesOf } from '../../../../src/schema/compatibility.js';
import { Effort } from '../../../../src/schema/effort.js';
import { linkProto, type LinkedFile } from '../../../../src/schema/protobuf/descriptors.js';
import { protobufUnreadable } from '../../../../src/schema/protobuf/differences.js';

const file = (body: string, syntax = 'proto3', of = 'a') => linkProto(`syntax = "${syntax}"; package ${of}; ${body}`);

const unreadable = (reader: LinkedFile, writer: LinkedFile) => protobufUnreadable(reader, writer, new Effort());

function against(rule: CompatibilityLevel, candidate: string, ...earlier: string[]): string[] {
  const versions = earlier.map((body, i) => ({ version: i + 1, schema: () => linkBody(body) }));
  return breachesOf(rule, linkBody(candidate), versions, unreadable);
}

const linkBody = (body: string) =>
  file(body, body.includes('required') || body.includes('group') ? 'proto2' : 'proto3');

const message = (fields: string) => `message V { ${fields} }`;

describe('Protobuf schemas', () => {
  it.each<[what: string, before: string, after: string, backward: string | null, forward: string | null]>([
    ['a field is added', message('int32 a = 1;'), message('int32 a = 1; string b = 2;'), null, null],
    ['a field has another name', message('int32 a = 1;'), message('int32 z = 1;'), null, null],
    ['a message is added', message(''), `${message('')} message W {}`, null, 'MESSAGE_REMOVED at #/W'],
    ['a nested message is removed', message('message I {}'), message(''), 'MESSAGE_REMOVED at #/V/I', null],
    ['messages change places', `${message('')} message W {}`, `message W {} ${message('')}`, null, null],
    [
      'an enum comes and a value goes',
      'message V {} enum E { A = 0; B = 1; }',
      'message V {} enum E { A = 0; }',
      null,
      null,
    ],
    ['an integer gets wider', message('int32 a = 1;'), message('int64 a = 1;'), null, null],
    ['a bool becomes a number', message('bool a = 1;'), message('uint64 a = 1;'), null, null],
    ['an enum becomes a number', message('enum E { A = 0; } E a = 1;'), message('int32 a = 1;'), null, null],
    ['text becomes bytes', message('string a = 1;'), message('bytes a = 1;'), null, null],
    ['fixed becomes sfixed', message('fixed64 a = 1;'), message('sfixed64 a = 1;'), null, null],
    [
      'a number becomes text',
      message('int32 a = 1;'),
      message('string a = 1;'),
      'FIELD_SCALAR_KIND_CHANGED at #/V/1',
      'FIELD_SCALAR_KIND_CHANGED',
    ],
    [
      'int becomes sint',
      message('int32 a = 1;'),
      message('sint32 a = 1;'),
      'FIELD_SCALAR_KIND_CHANGED',
      'FIELD_SCALAR_KIND_CHANGED',
    ],
    [
      'float becomes double',
      message('float a = 1;'),
      message('double a = 1;'),
      'FIELD_SCALAR_KIND_CHANGED',
      'FIELD_SCALAR_KIND_CHANGED',
    ],
    [
      'a number becomes a message',
      message('int32 a = 1;'),
      message('V a = 1;'),
      'FIELD_KIND_CHANGED',
      'FIELD_KIND_CHANGED',
    ],
    [
      'a map becomes a message',
      message('map<string, V> a = 1;'),
      message('V a = 1;'),
      'FIELD_KIND_CHANGED',
      'FIELD_KIND_CHANGED',
    ],
    [
      'the keys of a map change',
      message('map<string, V> a = 1;'),
      message('map<int32, V> a = 1;'),
      'FIELD_SCALAR_KIND_CHANGED',
      'FIELD_SCALAR_KIND_CHANGED',
    ],
    ['a field becomes optional', message('int32 a = 1;'), message('optional int32 a = 1;'), null, null],
    [
      'a number is repeated',
      message('int32 a = 1;'),
      message('repeated int32 a = 1;'),
      'FIELD_NUMERIC_LABEL_CHANGED',
      'FIELD_NUMERIC_LABEL_CHANGED',
    ],
    ['a text is repeated', message('string a = 1;'), message('repeated string a = 1;'), null, null],
    [
      'another message',
      `${message('W a = 1;')} message W {} message X {}`,
      `${message('X a = 1;')} message W {} message X {}`,
      'FIELD_NAMED_TYPE_CHANGED',
      'FIELD_NAMED_TYPE_CHANGED',
    ],
    ['a oneof is added', message('int32 a = 1;'), message('int32 a = 1; oneof o { int32 b = 2; }'), null, null],
    [
      'a field goes from a oneof',
      message('oneof o { int32 a = 1; int32 b = 2; }'),
      message('oneof o { int32 a = 1; }'),
      'ONEOF_FIELD_REMOVED at #/V/2',
      null,
    ],
    [
      'a field moves into a oneof',
      message('int32 a = 1;'),
      message('oneof o { int32 a = 1; int32 b = 2; }'),
      null,
      null,
    ],
    [
      'two fields move into a oneof',
      message('int32 a = 1; int32 b = 2;'),
      message('oneof o { int32 a = 1; int32 b = 2; }'),
      'MULTIPLE_FIELDS_MOVED_TO_ONEOF',
      null,
    ],
    [
      'a field moves to others in a oneof',
      message('int32 a = 1; oneof o { int32 b = 2; }'),
      message('oneof o { int32 a = 1; int32 b = 2; }'),
      'FIELD_MOVED_TO_EXISTING_ONEOF',
      null,
    ],
    [
      'a field of a oneof changes its type',
      message('oneof o { int32 a = 1; }'),
      message('oneof p { string a = 1; }'),
      'FIELD_SCALAR_KIND_CHANGED',
      'FIELD_SCALAR_KIND_CHANGED',
    ],
    [
      'a required field is added',
      message('optional group G = 9 {}'),
      message('optional group G = 9 {} required int32 a = 1;'),
      'REQUIRED_FIELD_ADDED',
      'REQUIRED_FIELD_REMOVED',
    ],
  ])('%s', (_, before, after, backward, forward) => {
    for (const [rule, breach] of [
      ['BACKWARD', backward],
      ['FORWARD', forward],
    ] as const) {
      const found = against(rule, after, before);
      if (breach === null) expect(found).toStrictEqual([]);
      else expect(found).toStrictEqual([expect.stringContaining(breach)]);
    }
    expect(against('FULL', after, before)).toHaveLength([backward, forward].filter((each) => each !== null).length);
    expect(against('NONE', after, before)).toStrictEqual([]);
  });

  it('may move to another package', () => {
    const [one, other] = [file('message V { V a = 1; }'), file('message V { V a = 1; }', 'proto3', 'b.c')];
    expect(breachesOf('FULL', other, [{ version: 1, schema: () => one }], unreadable)).toStrictEqual([]);
  });

  it('are compared with all versions where the level is transitive', () => {
    const [first, second, third] = [message('int32 a = 1;'), message(''), message('string a = 1;')];
    expect(against('BACKWARD', third, first, second)).toStrictEqual([]);
    expect(against('BACKWARD_TRANSITIVE', third, first, second)).toStrictEqual([expect.stringContaining('version 1')]);
  });

  it('are compared through what they import', () => {
    const imported = (field: string) => (path: string) =>
      path === 'o.proto' ? `syntax = "proto3"; package o; message O { ${field} }` : undefined;
    const text = 'syntax = "proto3"; import "o.proto"; message V { o.O a = 1; }';
    const [before, after] = [linkProto(text, imported('int32 x = 1;')), linkProto(text, imported('string x = 1;'))];
    expect(breachesOf('BACKWARD', after, [{ version: 1, schema: () => before }], unreadable)).toStrictEqual([
      expect.stringContaining('FIELD_SCALAR_KIND_CHANGED at #/V/1/1'),
    ]);
  });
});
